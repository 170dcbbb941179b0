_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/stage2_30e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=20),
        loss=dict(type='GaussianCloudedLogitLoss', noise_mul=0.5, margin=0.1, gamma=1.0)),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
train_dataloader = dict(sampler=dict(type='ClassBalancedSampler'))
optim_wrapper = dict(optimizer=dict(lr=0.002))
