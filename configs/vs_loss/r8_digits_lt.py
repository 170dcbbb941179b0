_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(loss=dict(type='VSLoss', gamma=0.05, tau=0.75)))
