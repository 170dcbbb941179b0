_base_ = '../erm/rx50_imagenet_lt.py'
train_dataloader = dict(sampler=dict(type='ClassBalancedSampler'))
