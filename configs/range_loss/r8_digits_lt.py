_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(regularizers=[dict(type='RangeLoss', loss_weight=0.01)]))
