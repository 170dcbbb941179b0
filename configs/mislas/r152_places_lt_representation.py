# The last block and the classifier alone are trained, on weights of ImageNet-1k.
_base_ = '../erm/r152_places_lt.py'
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
frozen = dict(
    parameters=['backbone.conv1', 'backbone.bn1', 'backbone.layer[123]', 'backbone.layer4.[01]'],
    statistics=['backbone.bn1', 'backbone.layer[123]', 'backbone.layer4.[01]'])
optim_wrapper = dict(optimizer=dict(lr=0.1))
