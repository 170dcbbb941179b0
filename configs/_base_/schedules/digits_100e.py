# Minutes on a laptop: 100 epochs of 9 steps.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=5, end=100, T_max=95),
]
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=50)
val_cfg = dict()
test_cfg = dict()
