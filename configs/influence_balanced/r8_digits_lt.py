_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(loss=dict(type='InfluenceBalancedLoss', alpha=10.0, begin=50)))
