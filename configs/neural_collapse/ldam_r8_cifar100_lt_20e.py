# LDAM-DRW, measured: what the other is compared with.
_base_ = '../ldam/r8_cifar100_lt_20e.py'
custom_hooks = [dict(type='NeuralCollapseHook', interval=5)]
