_base_ = [
    '../_base_/models/bbn_rx50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/cosine_90e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(div_epochs='official'))
train_dataloader = dict(sampler=dict(type='PairedSampler'))
