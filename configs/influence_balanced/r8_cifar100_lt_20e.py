_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(loss=dict(type='InfluenceBalancedLoss', alpha=10.0, begin=10)))
