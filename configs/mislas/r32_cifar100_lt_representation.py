_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/gcl_cifar_200e.py',
    '../_base_/default_runtime.py',
]
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
