_base_ = '../erm/r8_digits_lt.py'
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
