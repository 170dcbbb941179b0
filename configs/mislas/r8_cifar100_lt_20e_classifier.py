_base_ = [
    '../_base_/models/resnet8_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/stage2_mislas_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/shifted_bn.py',
]
model = dict(
    head=dict(
        classifier=dict(type='LWSClassifier'),
        loss=dict(type='LabelAwareSmoothingLoss', smooth_head=0.4, smooth_tail=0.1)))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
