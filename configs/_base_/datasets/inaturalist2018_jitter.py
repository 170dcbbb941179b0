# iNaturalist 2018 with the colour jitter of ImageNet-LT, as MiSLAS has it.
_base_ = './inaturalist2018.py'
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='torchvision/RandomResizedCrop', size=224),
    dict(type='torchvision/RandomHorizontalFlip'),
    dict(type='torchvision/ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
