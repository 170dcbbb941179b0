_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(loss=dict(type='LADELoss', remine_lambda=0.1, alpha=0.01)))
