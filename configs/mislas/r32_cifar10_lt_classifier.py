_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/schedules/stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(
    head=dict(
        num_classes=10,
        classifier=dict(type='LWSClassifier'),
        loss=dict(type='LabelAwareSmoothingLoss', smooth_head=0.3, smooth_tail=0.0)))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
optim_wrapper = dict(
    optimizer=dict(weight_decay=2e-4),
    paramwise_cfg=dict(
        custom_keys={'head.classifier.weight': dict(lr_mult=0.5), 'head.classifier.bias': dict(lr_mult=0.5)}))
