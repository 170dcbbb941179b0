_base_ = [
    '../_base_/models/resnext50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(head=dict(classifier=dict(type='DualHeadClassifier', threshold=100)))
train_dataloader = dict(sampler=dict(type='BiLevelSampler', classes_per_batch=64, images_per_class=4))
