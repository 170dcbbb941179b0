_base_ = '../erm/r8_digits_lt.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='LDAMLoss', max_margin=0.5, drw=dict(begin=60, beta=0.9999))))
param_scheduler = [  # as in the paper the weights begin where the learning rate drops first
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='MultiStepLR', by_epoch=True, milestones=[60, 90], gamma=0.1),
]
