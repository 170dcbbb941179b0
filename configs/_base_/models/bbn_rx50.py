_base_ = './bbn_r50.py'
model = dict(backbone=dict(type='BBNResNeXt', groups=32, width_per_group=4))
