# The same on CIFAR100-LT at the size of a CPU: no published recipe.
_base_ = 'neural_collapse_digits.py'
title = 'Neural Collapse on CIFAR100-LT, ResNet-8, 20 epochs'
methods = {
    'ERM': 'neural_collapse/erm_r8_cifar100_lt_20e.py',
    'ERM + Neural Collapse': 'neural_collapse/r8_cifar100_lt_20e.py',
}
