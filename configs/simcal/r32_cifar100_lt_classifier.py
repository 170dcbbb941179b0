_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(head=dict(classifier=dict(type='DualHeadClassifier', threshold=100)))
train_dataloader = dict(sampler=dict(type='BiLevelSampler', classes_per_batch=32, images_per_class=4))
optim_wrapper = dict(optimizer=dict(weight_decay=2e-4))
