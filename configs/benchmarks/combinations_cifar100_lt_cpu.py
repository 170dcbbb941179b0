# The study of combinations_digits.py on CIFAR100-LT at the size of a CPU. Softmax and BS are the runs of
# decoupled_losses_cifar100_lt_cpu.py.
title = 'Balanced Softmax, re-sampling and logit adjustment combined: CIFAR100-LT at CPU size, ResNet-8, 20 epochs'
adjusted = {'model.head.posthoc': {'type': 'LogitAdjustment', 'tau': 1.0}}
class_aware = {'train_dataloader.sampler.type': 'ClassAwareSampler'}
square_root = {'train_dataloader.sampler.type': 'SquareRootSampler'}
progressive = {'train_dataloader.sampler.type': 'ProgressivelyBalancedSampler'}
erm = 'erm/r8_cifar100_lt_20e.py'
balanced = 'balanced_softmax/r8_cifar100_lt_20e.py'
methods = {
    'Softmax': erm,
    'Logit adjustment': dict(config=erm, cfg_options=adjusted),
    'Class-aware': dict(config=erm, cfg_options=class_aware),
    'Square-root': dict(config=erm, cfg_options=square_root),
    'Progressively balanced': dict(config=erm, cfg_options=progressive),
    'BS': balanced,
    'BS, logit adjustment': dict(config=balanced, cfg_options=adjusted),
    'BS, class-aware': dict(config=balanced, cfg_options=class_aware),
    'BS, square-root': dict(config=balanced, cfg_options=square_root),
    'BS, progressively balanced': dict(config=balanced, cfg_options=progressive),
    'BS, class-aware, logit adjustment': dict(config=balanced, cfg_options={**class_aware, **adjusted}),
    'BS, square-root, logit adjustment': dict(config=balanced, cfg_options={**square_root, **adjusted}),
    'BS, progressively balanced, logit adjustment': dict(config=balanced, cfg_options={**progressive, **adjusted}),
}
imbalance_factors = [100]
seeds = [0]
cfg_options = {'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')]}
reference = False
notes = ('BS is Balanced Softmax; logit adjustment is the rule after training, tau 1. Each of the three takes the '
         'class prior out by itself (square-root sampling half of it), so that together they favour the rare classes: '
         'on purpose, to see what it costs. The log of a run says what its combination implies.')
