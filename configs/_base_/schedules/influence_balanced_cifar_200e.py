# The influence-balanced loss on CIFAR-LT (arXiv 2110.02444): as LDAM, with a further 1/100 after epoch 100, where the
# loss changes.
_base_ = './cifar_200e.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='MultiStepLR', by_epoch=True, milestones=[100, 160, 180], gamma=0.01),
]
