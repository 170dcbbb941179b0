model = dict(
    type='ImageRecognizer',
    backbone=dict(type='ResNet8', in_channels=1),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LongTailClsHead',
        num_classes=10,
        in_channels=64,
        classifier=dict(type='LinearClassifier'),
        loss=dict(type='SoftmaxLoss')))
