# A second stage of 30 epochs, that of GCL, and of cRT on iNaturalist 2018.
_base_ = './stage2_10e.py'
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, end=30, T_max=30)]
train_cfg = dict(max_epochs=30, val_interval=5)
