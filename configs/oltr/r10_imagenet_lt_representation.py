_base_ = [
    '../_base_/models/resnet10.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/oltr_30e.py',
    '../_base_/default_runtime.py',
]
train_dataloader = dict(batch_size=128)
