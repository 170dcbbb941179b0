_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(regularizers=[dict(type='RangeLoss', loss_weight=0.001)]))
