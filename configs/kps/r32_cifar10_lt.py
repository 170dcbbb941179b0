_base_ = './r32_cifar100_lt.py'
model = dict(head=dict(num_classes=10))
train_dataloader = dict(dataset=dict(type='CIFAR10LT'))
val_dataloader = dict(dataset=dict(type='CIFAR10LT'))
test_dataloader = dict(dataset=dict(type='CIFAR10LT'))
