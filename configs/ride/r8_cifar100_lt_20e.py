_base_ = [
    '../_base_/models/ride_r8_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/cifar_20e_steps.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(loss=dict(drw=dict(begin=14))))
