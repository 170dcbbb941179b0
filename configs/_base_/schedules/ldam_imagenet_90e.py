# The schedule of 200 epochs at 90: the steps at the same fractions of the run.
_base_ = './ldam_imagenet_200e.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='MultiStepLR', by_epoch=True, milestones=[54, 72], gamma=0.1),
]
train_cfg = dict(max_epochs=90)
