_base_ = './ncm_r32_cifar100_lt_classifier.py'
model = dict(backbone=dict(type='ResNet20'))
