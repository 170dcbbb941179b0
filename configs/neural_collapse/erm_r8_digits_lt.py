# ERM, measured: what the others are compared with.
_base_ = '../erm/r8_digits_lt.py'
custom_hooks = [dict(type='NeuralCollapseHook', interval=10)]
