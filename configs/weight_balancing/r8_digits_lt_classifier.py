_base_ = [
    '../_base_/models/resnet8_digits.py',
    '../_base_/datasets/digits_lt.py',
    '../_base_/schedules/digits_stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_backbone.py',
]
model = dict(
    head=dict(
        loss=dict(type='ClassBalancedLoss', beta=0.9999, base='softmax_bce'),
        regularizers=[dict(type='WeightBalancing', weight_decay=1.0, threshold=0.1)]))
optim_wrapper = dict(optimizer=dict(weight_decay=0))  # the decay is that of the regulariser
