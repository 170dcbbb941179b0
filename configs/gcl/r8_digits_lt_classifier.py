_base_ = [
    '../_base_/models/resnet8_digits.py',
    '../_base_/datasets/digits_lt.py',
    '../_base_/schedules/digits_stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=20),
        loss=dict(type='GaussianCloudedLogitLoss', noise_mul=1.0, margin=0.1, gamma=1.0)))
train_dataloader = dict(sampler=dict(type='ClassBalancedSampler'))
