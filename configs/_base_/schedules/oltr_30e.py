# A stage of OLTR in 30 epochs (arXiv 1904.05160, official code): 1/10 of the learning rate after epoch 10 and again
# after epoch 20. It is the first on ImageNet-LT, and both on Places-LT.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[10, 20], gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=10)
val_cfg = dict()
test_cfg = dict()
