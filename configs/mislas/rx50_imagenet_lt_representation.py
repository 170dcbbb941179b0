_base_ = '../erm/rx50_imagenet_lt.py'
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
