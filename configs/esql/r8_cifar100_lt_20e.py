_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(loss=dict(type='SoftmaxEqualizationLoss', gamma=0.95, lambda_=3e-3)))
