_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(loss=dict(type='ClassBalancedLoss', beta=0.9)))
