_base_ = '../erm/r8_digits_lt_held_out.py'
model = dict(head=dict(loss=dict(type='ClassDifficultyBalancedLoss', tau=1.0)))
custom_hooks = [dict(type='ClassDifficultyHook')]
train_cfg = dict(val_interval=1)
