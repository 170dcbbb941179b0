_base_ = [
    '../_base_/models/resnet152.py',
    '../_base_/datasets/places_lt.py',
    '../_base_/schedules/cosine_90e.py',
    '../_base_/default_runtime.py',
]
# The field starts from weights trained on ImageNet-1k.
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet152')),
    head=dict(num_classes=365))
optim_wrapper = dict(optimizer=dict(lr=0.01))
