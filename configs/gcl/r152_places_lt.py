# The recipe of the official script, which trains the last block and the classifier alone.
_base_ = ['../erm/r152_places_lt.py', '../_base_/stages/last_block_r152.py']
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='GaussianCloudedLogitLoss', noise_mul=1.0)),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(optimizer=dict(lr=0.2))
param_scheduler = [dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=5),
                   dict(type='MultiStepLR', by_epoch=True, milestones=[60, 80], gamma=0.1)]
