_base_ = [
    '../_base_/models/resnet8_digits.py',
    '../_base_/datasets/digits_lt.py',
    '../_base_/schedules/digits_stage2_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/crt.py',
]
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
optim_wrapper = dict(optimizer=dict(lr=0.01))
