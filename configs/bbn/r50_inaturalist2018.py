_base_ = [
    '../_base_/models/bbn_r50.py',
    '../_base_/datasets/inaturalist2018.py',
    '../_base_/schedules/bbn_inaturalist_180e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=8142, div_epochs='official'))
train_dataloader = dict(batch_size=128, sampler=dict(type='PairedSampler'), dataset=dict(pipeline=[
    dict(type='LoadImage'), dict(type='torchvision/RandomResizedCrop', size=224),
    dict(type='torchvision/RandomHorizontalFlip'), dict(type='PackInputs')]))
