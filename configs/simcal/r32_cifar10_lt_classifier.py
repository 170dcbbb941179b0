_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/schedules/stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(head=dict(num_classes=10, classifier=dict(type='DualHeadClassifier', threshold=500)))
train_dataloader = dict(sampler=dict(type='BiLevelSampler', classes_per_batch=8, images_per_class=16))
optim_wrapper = dict(optimizer=dict(weight_decay=2e-4))
