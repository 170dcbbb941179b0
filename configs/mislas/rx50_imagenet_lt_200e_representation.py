_base_ = '../erm/rx50_imagenet_lt_200e.py'
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
