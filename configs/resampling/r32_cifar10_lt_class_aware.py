_base_ = '../erm/r32_cifar10_lt.py'
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
