_base_ = './ride_r50.py'
model = dict(backbone=dict(type='RIDEResNeXt', groups=32, width_per_group=4))
