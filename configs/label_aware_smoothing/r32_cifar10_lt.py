_base_ = '../erm/r32_cifar10_lt.py'
model = dict(head=dict(loss=dict(type='LabelAwareSmoothingLoss', smooth_head=0.3, smooth_tail=0.0)))
