_base_ = '../erm/r32_cifar100_lt.py'
model = dict(backbone=dict(type='ResNet20'))
