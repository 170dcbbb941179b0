_base_ = '../erm/r50_imagenet_lt.py'
model = dict(
    backbone=dict(last_stage_width=2),  # 4,096 features, as in the official code
    head=dict(in_channels=4096, classifier=dict(type='ETFClassifier'),
              loss=dict(type='DotRegressionLoss', lengths='batch')),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
train_dataloader = dict(batch_size=1024)
