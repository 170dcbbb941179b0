_base_ = '../erm/r8_digits_lt.py'
model = dict(
    head=dict(classifier=dict(type='ETFClassifier'), loss=dict(type='DotRegressionLoss', lengths='dataset')),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
