_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(
    backbone=dict(base_channels=32),
    head=dict(in_channels=128, classifier=dict(type='ETFClassifier'),
              loss=dict(type='DotRegressionLoss', lengths='batch')),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
