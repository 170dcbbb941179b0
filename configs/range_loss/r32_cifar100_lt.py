_base_ = '../erm/r32_cifar100_lt.py'
model = dict(head=dict(regularizers=[dict(type='RangeLoss', loss_weight=0.001)]))
