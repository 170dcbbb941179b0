_base_ = [
    '../_base_/models/resnet8_digits.py',
    '../_base_/datasets/digits_lt.py',
    '../_base_/schedules/digits_stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(head=dict(classifier=dict(type='DualHeadClassifier', threshold=41)))
train_dataloader = dict(sampler=dict(type='BiLevelSampler', classes_per_batch=8, images_per_class=4))
