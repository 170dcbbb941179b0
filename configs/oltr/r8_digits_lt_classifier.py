_base_ = [
    '../_base_/models/resnet8_digits.py',
    '../_base_/datasets/digits_lt.py',
    '../_base_/schedules/stage2_oltr_60e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    neck=[dict(type='ModulatedAttention', in_channels=64, size=2), dict(type='GlobalAveragePooling')],
    head=dict(
        classifier=dict(type='OLTRClassifier'),
        regularizers=[dict(type='DiscriminativeCentroidLoss', average_step=True)]))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
optim_wrapper = dict(  # the network at the classifier's rate: a tenth of it changes little in so few steps
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=1.0), neck=dict(lr_mult=1.0))))
