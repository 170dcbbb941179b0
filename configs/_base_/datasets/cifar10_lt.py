# CIFAR-10-LT by the protocol of LDAM (arXiv 1906.07413): exponential profile, seed 0.
# Another imbalance: train_dataloader = dict(dataset=dict(imbalance_factor=50))
_base_ = './cifar100_lt.py'
train_dataloader = dict(dataset=dict(type='CIFAR10LT'))
val_dataloader = dict(dataset=dict(type='CIFAR10LT'))
test_dataloader = dict(dataset=dict(type='CIFAR10LT'))
