_base_ = './r32_cifar100_lt.py'
model = dict(train_cfg=dict(augments=[dict(type='CutMix', alpha=1.0)]))
