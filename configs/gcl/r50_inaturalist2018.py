_base_ = '../erm/r50_inaturalist2018.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='GaussianCloudedLogitLoss', noise_mul=0.5)),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
