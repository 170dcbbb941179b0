_base_ = [
    '../_base_/models/bbn_r50.py',
    '../_base_/datasets/inaturalist2018.py',
    '../_base_/schedules/bbn_inaturalist_180e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=8142, div_epochs='official'))
data_preprocessor = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])  # those of ImageNet
train_dataloader = dict(batch_size=128, sampler=dict(type='PairedSampler'))
