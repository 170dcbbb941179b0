_base_ = [
    '../_base_/models/resnet152.py',
    '../_base_/datasets/places_lt.py',
    '../_base_/schedules/stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_linear.py',
]
model = dict(
    head=dict(
        num_classes=365,
        classifier=dict(type='DisAlignClassifier'),
        loss=dict(type='GeneralizedReweightLoss')))
