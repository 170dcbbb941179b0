_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/inaturalist2018.py',
    '../_base_/schedules/stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_linear.py',
]
model = dict(
    head=dict(
        num_classes=8142,
        classifier=dict(type='DisAlignClassifier'),
        loss=dict(type='GeneralizedReweightLoss')))
