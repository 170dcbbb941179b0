# The recipe of De-confound on CIFAR-LT (arXiv 2009.12991, official code), the schedule of BBN: batch 256, 5 epochs of
# warm-up from a third, then 1/100 of the learning rate after epoch 120 and again after epoch 160.
_base_ = './cifar_200e.py'
optim_wrapper = dict(optimizer=dict(lr=0.2, weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 3, by_epoch=True, end=6),
    dict(type='MultiStepLR', by_epoch=True, milestones=[120, 160], gamma=0.01),
]
