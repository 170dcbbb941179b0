_base_ = '../erm/r50_imagenet_lt_200e.py'
model = dict(head=dict(loss=dict(type='WeightedSoftmaxLoss')))
