_base_ = '../erm/r50_imagenet_lt.py'
model = dict(head=dict(loss=dict(type='WeightedSoftmaxLoss')))
