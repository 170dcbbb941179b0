_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/inaturalist2018.py',
    '../_base_/schedules/stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(
    head=dict(
        num_classes=8142,
        loss=dict(type='ClassBalancedLoss', beta=0.9999, base='softmax_bce'),
        regularizers=[dict(type='WeightBalancing', weight_decay=0.0012, threshold=0.1)]))
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=0))  # the decay is that of the regulariser
