# The ResNet-32 of CIFAR: three stages of 16, 32 and 64 channels, option-A shortcuts (arXiv 1512.03385).
model = dict(
    type='ImageRecognizer',
    backbone=dict(type='ResNet32'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LongTailClsHead',
        num_classes=100,
        in_channels=64,
        classifier=dict(type='LinearClassifier'),
        loss=dict(type='SoftmaxLoss')))
