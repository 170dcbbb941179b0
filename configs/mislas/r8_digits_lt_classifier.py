_base_ = [
    '../_base_/models/resnet8_digits.py',
    '../_base_/datasets/digits_lt.py',
    '../_base_/schedules/stage2_mislas_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/shifted_bn.py',
]
model = dict(
    head=dict(
        classifier=dict(type='LWSClassifier'),
        loss=dict(type='LabelAwareSmoothingLoss', smooth_head=0.3, smooth_tail=0.0)))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
