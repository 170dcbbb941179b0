# A schedule of CPU size, not a published recipe: 20 epochs, warm-up, cosine.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=2),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=2, end=20, T_max=18),
]
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=5)
val_cfg = dict()
test_cfg = dict()
