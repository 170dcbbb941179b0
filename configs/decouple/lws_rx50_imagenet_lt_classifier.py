_base_ = [
    '../_base_/models/resnext50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/stage2_5e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/frozen_linear.py',
]
model = dict(head=dict(classifier=dict(type='LWSClassifier')))
train_dataloader = dict(batch_size=512, sampler=dict(type='ClassAwareSampler'))
optim_wrapper = dict(optimizer=dict(lr=0.2))
