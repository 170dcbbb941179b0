_base_ = '../erm/r32_cifar100_lt.py'
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=5e-3))
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, end=320, T_max=320)]
train_dataloader = dict(batch_size=64)
train_cfg = dict(max_epochs=320)
