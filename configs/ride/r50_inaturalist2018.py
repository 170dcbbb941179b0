_base_ = [
    '../_base_/models/ride_r50.py',
    '../_base_/datasets/inaturalist2018.py',
    '../_base_/schedules/ride_inaturalist_100e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=8142, loss=dict(reweight_factor=0.015)))
train_dataloader = dict(batch_size=512)
