# Neural Collapse against the same without it, on the long-tailed digits: docs/results/neural_collapse.
title = 'Neural Collapse on Digits-LT, ResNet-8, 100 epochs'
methods = {
    'ERM': 'neural_collapse/erm_r8_digits_lt.py',
    'ERM + Neural Collapse': 'neural_collapse/r8_digits_lt.py',
}
seeds = [0, 1, 2]
reference = False
notes = ('How far the training features have collapsed is in neural_collapse.json of each run, and in '
         'docs/results/neural_collapse.')
