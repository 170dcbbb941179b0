# RIDE (arXiv 2010.01809): the first two stages shared, then one narrower branch for each expert.
model = dict(
    type='MultiExpertRecognizer',
    backbone=dict(type='RIDEResNet', depth=50, num_experts=3, zero_init_residual=False),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='MultiExpertHead',
        num_experts=3,
        num_classes=1000,
        in_channels=1536,
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='RIDELoss', reweight_factor=0.02, drw=dict(begin=80, beta=0.9999))))
