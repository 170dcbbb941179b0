_base_ = [
    '../_base_/models/bbn_r8_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/cifar_20e.py',
    '../_base_/default_runtime.py',
]
train_dataloader = dict(sampler=dict(type='PairedSampler'))
