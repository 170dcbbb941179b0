# The recipe of Meta-Weight-Net on CIFAR-LT (arXiv 1902.07379, official code for class imbalance): batch 100, 1/10 of
# the learning rate after epoch 80 and again after epoch 90.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[80, 90], gamma=0.1)]
train_cfg = dict(
    type='MetaTrainLoop',
    max_epochs=100,
    val_interval=10,
    meta_dataloader=dict(dataset=dict(split='held_out')),
    meta_optimizer=dict(type='SGD', lr=1e-5, momentum=0.9, nesterov=True, weight_decay=5e-4))
val_cfg = dict()
test_cfg = dict()
