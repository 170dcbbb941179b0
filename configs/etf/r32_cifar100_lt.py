_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/gcl_cifar_200e.py',  # the official code's as well
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(base_channels=32),  # 128 features, since 64 cannot hold 100 classes
    head=dict(in_channels=128, classifier=dict(type='ETFClassifier'),
              loss=dict(type='DotRegressionLoss', lengths='batch')),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
