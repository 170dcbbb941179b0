_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar100_lt_held_out.py',
    '../_base_/schedules/cifar_200e.py',
    '../_base_/default_runtime.py',
]
