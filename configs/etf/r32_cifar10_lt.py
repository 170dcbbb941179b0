_base_ = './r32_cifar100_lt.py'
model = dict(backbone=dict(base_channels=16), head=dict(num_classes=10, in_channels=64))
train_dataloader = dict(dataset=dict(type='CIFAR10LT'))
val_dataloader = dict(dataset=dict(type='CIFAR10LT'))
test_dataloader = dict(dataset=dict(type='CIFAR10LT'))
