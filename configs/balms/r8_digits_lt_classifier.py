_base_ = ['./r8_digits_lt.py', '../_base_/stages/crt.py']
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, end=10, T_max=10)]
train_cfg = dict(max_epochs=10, val_interval=10)
