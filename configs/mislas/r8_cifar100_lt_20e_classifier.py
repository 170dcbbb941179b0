_base_ = './r32_cifar100_lt_classifier.py'
model = dict(backbone=dict(type='ResNet8'))
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))
