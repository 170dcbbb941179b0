_base_ = '../erm/r32_cifar100_lt.py'
train_dataloader = dict(sampler=dict(type='SquareRootSampler'))
