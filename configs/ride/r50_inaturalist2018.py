_base_ = [
    '../_base_/models/ride_r50.py',
    '../_base_/datasets/inaturalist2018.py',
    '../_base_/schedules/ride_imagenet_100e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=8142))
