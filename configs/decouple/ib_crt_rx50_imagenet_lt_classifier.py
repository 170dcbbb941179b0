# The recipe of the survey (arXiv 2110.04596).
_base_ = [
    '../_base_/models/resnext50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/stage2_steps_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/crt.py',
]
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
