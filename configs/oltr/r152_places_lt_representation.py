# The attention stays the identity until the second stage; the pretrained network trains at a hundredth of the
# classifier's rate.
_base_ = [
    '../_base_/models/oltr_r152.py',
    '../_base_/datasets/places_lt.py',
    '../_base_/schedules/oltr_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet152')))
frozen = dict(parameters=['neck.0'])
train_dataloader = dict(batch_size=128)
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.01), neck=dict(lr_mult=0.01))))
