# Balanced Softmax x re-sampling x logit adjustment after training, the survey's study (arXiv 2110.04596).
# Together they correct the class prior more than once, which the log of a training warns of: that is what is studied
# here, not a recipe.
title = 'Balanced Softmax, re-sampling and logit adjustment combined: Digits-LT, ResNet-8, 100 epochs'
adjusted = {'model.head.posthoc': {'type': 'LogitAdjustment', 'tau': 1.0}}
class_aware = {'train_dataloader.sampler.type': 'ClassAwareSampler'}
square_root = {'train_dataloader.sampler.type': 'SquareRootSampler'}
progressive = {'train_dataloader.sampler.type': 'ProgressivelyBalancedSampler'}
erm = 'erm/r8_digits_lt.py'
balanced = 'balanced_softmax/r8_digits_lt.py'
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
seeds = [0, 1, 2]
reference = False
notes = ('BS is Balanced Softmax; logit adjustment is the rule after training, tau 1. Each of the three takes the '
         'class prior out by itself (square-root sampling half of it), so that together they favour the rare classes: '
         'on purpose, to see what it costs. The log of a run says what its combination implies.')
