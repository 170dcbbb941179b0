# The second stage of OLTR in 10 epochs, not a published recipe: the steps at the same fractions of the run.
_base_ = './stage2_oltr_60e.py'
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[4, 7], gamma=0.1)]
train_cfg = dict(max_epochs=10, val_interval=5)
