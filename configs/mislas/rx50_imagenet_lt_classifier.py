_base_ = [
    '../_base_/models/resnext50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/stage2_mislas_imagenet_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/shifted_bn.py',
]
model = dict(
    head=dict(
        classifier=dict(type='LWSClassifier'),
        loss=dict(type='LabelAwareSmoothingLoss', smooth_head=0.3, smooth_tail=0.0)))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
