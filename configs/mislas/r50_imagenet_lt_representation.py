_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/cosine_180e.py',
    '../_base_/default_runtime.py',
]
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
