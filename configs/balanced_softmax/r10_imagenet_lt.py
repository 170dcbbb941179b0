_base_ = '../erm/r10_imagenet_lt.py'
model = dict(head=dict(loss=dict(type='BalancedSoftmaxLoss')))
