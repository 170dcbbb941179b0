_base_ = [
    '../_base_/models/resnet8_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/cifar_20e_steps.py',
    '../_base_/default_runtime.py',
]
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='LDAMLoss', max_margin=0.5, drw=dict(begin=14, beta=0.9999))))
