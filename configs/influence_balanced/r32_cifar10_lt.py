_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/schedules/influence_balanced_cifar_200e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=10, loss=dict(type='InfluenceBalancedLoss', begin=100)))
