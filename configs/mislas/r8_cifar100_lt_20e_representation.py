_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]))
