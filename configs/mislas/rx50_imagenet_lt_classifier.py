_base_ = './r50_imagenet_lt_classifier.py'
model = dict(backbone=dict(type='ResNeXt', groups=32, width_per_group=4))
