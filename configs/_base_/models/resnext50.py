model = dict(
    type='ImageRecognizer',
    backbone=dict(type='ResNeXt', depth=50, groups=32, width_per_group=4, zero_init_residual=False),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LongTailClsHead',
        num_classes=1000,
        in_channels=2048,
        classifier=dict(type='LinearClassifier'),
        loss=dict(type='SoftmaxLoss')))
