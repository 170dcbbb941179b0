_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(loss=dict(type='LabelAwareSmoothingLoss', smooth_head=0.4, smooth_tail=0.1)))
