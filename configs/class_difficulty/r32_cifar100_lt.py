_base_ = '../erm/r32_cifar100_lt_held_out.py'
model = dict(head=dict(loss=dict(type='ClassDifficultyBalancedLoss', tau='dynamic', dynamic='cifar')))
custom_hooks = [dict(type='ClassDifficultyHook')]
train_cfg = dict(val_interval=1)
