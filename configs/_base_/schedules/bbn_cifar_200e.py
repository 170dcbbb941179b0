# The recipe of BBN on CIFAR-LT (arXiv 1912.02413, official code): 5 epochs of warm-up from a third of the learning rate
# on, then 1/100 of it after epoch 120 and again after epoch 160, and Nesterov.
_base_ = './cifar_200e.py'
optim_wrapper = dict(optimizer=dict(nesterov=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 3, by_epoch=True, end=6),
    dict(type='MultiStepLR', by_epoch=True, milestones=[120, 160], gamma=0.01),
]
