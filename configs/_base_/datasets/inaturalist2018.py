# iNaturalist 2018 (arXiv 1707.06642): 437,513 training images of 8,142 classes, 3 validation images of each,
# on which the field reports. Cropped and flipped, and normalised by its own mean and deviation, as in the codes of
# Decoupling, RIDE and the survey.
_base_ = './imagenet_lt.py'
data_preprocessor = dict(mean=[118.83, 120.105, 96.9], std=[49.725, 49.47, 48.96])
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='torchvision/RandomResizedCrop', size=224),
    dict(type='torchvision/RandomHorizontalFlip'),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    dataset=dict(type='INaturalist2018', data_root='data/inaturalist2018', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type='INaturalist2018', data_root='data/inaturalist2018'))
test_dataloader = dict(dataset=dict(type='INaturalist2018', data_root='data/inaturalist2018', split='val'))
