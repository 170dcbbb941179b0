_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(loss=dict(type='SoftmaxFocalLoss', gamma=1.0)))
