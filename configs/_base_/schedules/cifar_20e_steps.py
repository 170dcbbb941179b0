# That of CPU size with the learning rate in steps, as LDAM and RIDE have it: their weights begin with the first step.
_base_ = './cifar_20e.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=2),
    dict(type='MultiStepLR', by_epoch=True, milestones=[14, 18], gamma=0.1),
]
