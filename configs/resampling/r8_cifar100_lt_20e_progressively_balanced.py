_base_ = '../erm/r8_cifar100_lt_20e.py'
train_dataloader = dict(sampler=dict(type='ProgressivelyBalancedSampler'))
