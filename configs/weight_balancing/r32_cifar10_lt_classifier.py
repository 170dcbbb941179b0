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
        loss=dict(type='ClassBalancedLoss', beta=0.9999, base='softmax_bce'),
        regularizers=[dict(type='WeightBalancing', weight_decay=1.0, threshold=0.1)]))
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=0))  # the decay is that of the regulariser
