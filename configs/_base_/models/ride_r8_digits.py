# RIDE (arXiv 2010.01809): shared stem and first stage, then one narrower branch for each expert.
model = dict(
    type='MultiExpertRecognizer',
    backbone=dict(type='RIDEResNet8', in_channels=1, num_experts=3),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='MultiExpertHead',
        num_experts=3,
        num_classes=10,
        in_channels=48,
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='RIDELoss', drw=dict(begin=80, beta=0.9999))))
