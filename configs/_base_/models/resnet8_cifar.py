# A ResNet of CPU size: one block in each of three stages of 16, 32 and 64 channels.
model = dict(
    type='ImageRecognizer',
    backbone=dict(type='ResNet8'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LongTailClsHead',
        num_classes=100,
        in_channels=64,
        classifier=dict(type='LinearClassifier'),
        loss=dict(type='SoftmaxLoss')))
