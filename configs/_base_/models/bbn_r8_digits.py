_base_ = './bbn_r8_cifar.py'
model = dict(backbone=dict(in_channels=1), head=dict(num_classes=10))
