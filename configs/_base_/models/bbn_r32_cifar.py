# BBN (arXiv 1912.02413): ResNet-32 with its last block once a branch, one classifier of both.
model = dict(
    type='BilateralBranchRecognizer',
    backbone=dict(type='BBNResNet32'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='BilateralBranchHead',
        num_classes=100,
        in_channels=128,
        classifier=dict(type='LinearClassifier'),
        loss=dict(type='SoftmaxLoss')))
