# The schedule of LDAM-DRW on ImageNet-LT in the survey (arXiv 2110.04596): batch 256, warm-up,
# 1/10 of the learning rate after epoch 120 and again after epoch 160.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
    dict(type='MultiStepLR', by_epoch=True, milestones=[120, 160], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=10)
val_cfg = dict()
test_cfg = dict()
