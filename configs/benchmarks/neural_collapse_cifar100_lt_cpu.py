# The same on CIFAR100-LT at the size of a CPU. ERM is right on hardly any image of a rare class there, unlike LDAM-DRW.
_base_ = 'neural_collapse_digits.py'
title = 'Neural Collapse on CIFAR100-LT, ResNet-8, 20 epochs'
methods = {
    'ERM': 'neural_collapse/erm_r8_cifar100_lt_20e.py',
    'ERM + Neural Collapse': 'neural_collapse/r8_cifar100_lt_20e.py',
    'LDAM-DRW': 'neural_collapse/ldam_r8_cifar100_lt_20e.py',
    'LDAM-DRW + Neural Collapse': 'neural_collapse/r8_cifar100_lt_20e_ldam.py',
}
cfg_options = {'optim_wrapper.type': 'CPUAmpOptimWrapper'}  # bfloat16: half the time
