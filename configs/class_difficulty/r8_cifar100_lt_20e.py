_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(loss=dict(type='ClassDifficultyBalancedLoss', tau='dynamic', dynamic='cifar')))
custom_hooks = [dict(type='ClassDifficultyHook')]
train_dataloader = dict(dataset=dict(held_out=25))
val_dataloader = dict(dataset=dict(split='held_out', held_out=25))
train_cfg = dict(val_interval=1)
