# The recipe of BBN on CIFAR-LT (arXiv 1912.02413): 5 epochs of warm-up from near half the learning rate on, then 1/100
# of it after epoch 120 and again after epoch 160; Nesterov is that of its code.
_base_ = './cifar_200e.py'
optim_wrapper = dict(optimizer=dict(nesterov=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=7 / 15, by_epoch=True, end=5),
    dict(type='MultiStepLR', by_epoch=True, milestones=[120, 160], gamma=0.01),
]
