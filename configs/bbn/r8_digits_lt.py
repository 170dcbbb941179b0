_base_ = [
    '../_base_/models/bbn_r8_digits.py',
    '../_base_/datasets/digits_lt.py',
    '../_base_/schedules/digits_100e.py',
    '../_base_/default_runtime.py',
]
train_dataloader = dict(sampler=dict(type='PairedSampler'))
