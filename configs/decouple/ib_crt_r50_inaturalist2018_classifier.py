# The recipe of the survey (arXiv 2110.04596).
_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/inaturalist2018.py',
    '../_base_/schedules/stage2_steps_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/crt.py',
]
model = dict(head=dict(num_classes=8142))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
