_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(loss=dict(type='SoftmaxEqualizationLoss', gamma=0.95, lambda_=0.03)))
