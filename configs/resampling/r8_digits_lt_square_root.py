_base_ = '../erm/r8_digits_lt.py'
train_dataloader = dict(sampler=dict(type='SquareRootSampler'))
