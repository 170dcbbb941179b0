# The recipe of the official code on CIFAR-LT (arXiv 2010.01824): 240 epochs of batch 32, 1/100 of the learning rate
# after epoch 160 and again after epoch 210, the bias of the last layer not decayed, the statistics of ImageNet.
_base_ = './r32_cifar100_lt.py'
data_preprocessor = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(
    optimizer=dict(weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'classifier.bias': dict(decay_mult=0.0)}))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[160, 210], gamma=0.01)]
train_cfg = dict(max_epochs=240)
