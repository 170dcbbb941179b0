_base_ = [
    '../_base_/models/ride_r50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/ride_imagenet_90e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(loss=dict(drw=dict(begin=72))))
