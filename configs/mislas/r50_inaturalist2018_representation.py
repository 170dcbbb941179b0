_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/inaturalist2018_jitter.py',
    '../_base_/schedules/cosine_200e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=8142), train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
