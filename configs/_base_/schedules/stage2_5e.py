# A second stage of 5 epochs, that of LWS.
_base_ = './stage2_10e.py'
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, end=5, T_max=5)]
train_cfg = dict(max_epochs=5, val_interval=5)
