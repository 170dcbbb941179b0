_base_ = '../erm/r32_cifar100_lt.py'
model = dict(head=dict(loss=dict(type='SoftmaxEqualizationLoss', gamma=0.95, lambda_=3e-3)))
