_base_ = '../erm/r152_places_lt.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='GaussianCloudedLogitLoss', noise_mul=1.0)),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
