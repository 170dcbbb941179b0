# GCL (arXiv 2305.11733) and KPS on CIFAR-LT: as LDAM, but 1/10 of the learning rate at each step; their batch is 64.
_base_ = './cifar_200e.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='MultiStepLR', by_epoch=True, milestones=[160, 180], gamma=0.1),
]
