# 2,000 steps of batch 512, as in the official code.
_base_ = ['./r32_cifar100_lt.py', '../_base_/stages/crt.py']
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, end=91, T_max=91)]
train_cfg = dict(max_epochs=91, val_interval=10)
