# Places-LT (arXiv 1904.05160): 62,500 training images of 365 classes; the field's augmentation.
_base_ = './imagenet_lt.py'
train_dataloader = dict(dataset=dict(type='PlacesLT', data_root='data/places365'))
val_dataloader = dict(dataset=dict(type='PlacesLT', data_root='data/places365'))
test_dataloader = dict(dataset=dict(type='PlacesLT', data_root='data/places365'))
