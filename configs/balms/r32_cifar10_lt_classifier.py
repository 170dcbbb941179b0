# 2,000 steps of batch 512, as in the official code.
_base_ = ['./r32_cifar10_lt.py', '../_base_/stages/crt.py']
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, end=80, T_max=80)]
train_cfg = dict(max_epochs=80, val_interval=10)
