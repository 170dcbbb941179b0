_base_ = '../erm/r50_inaturalist2018.py'
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
