# ERM, measured: what the others are compared with.
_base_ = '../erm/r8_cifar100_lt_20e.py'
custom_hooks = [dict(type='NeuralCollapseHook', interval=5)]
