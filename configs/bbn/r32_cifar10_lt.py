_base_ = [
    '../_base_/models/bbn_r32_cifar.py',
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/schedules/bbn_cifar_200e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=10))
train_dataloader = dict(sampler=dict(type='PairedSampler'))
