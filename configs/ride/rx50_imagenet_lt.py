_base_ = [
    '../_base_/models/ride_rx50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/ride_imagenet_100e.py',
    '../_base_/default_runtime.py',
]
