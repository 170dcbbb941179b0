# iNaturalist 2018 (arXiv 1707.06642): 437,513 training images of 8,142 classes, 3 validation images of each,
# on which the field reports.
_base_ = './imagenet_lt.py'
train_dataloader = dict(dataset=dict(type='INaturalist2018', data_root='data/inaturalist2018'))
val_dataloader = dict(dataset=dict(type='INaturalist2018', data_root='data/inaturalist2018'))
test_dataloader = dict(dataset=dict(type='INaturalist2018', data_root='data/inaturalist2018', split='val'))
