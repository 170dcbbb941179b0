_base_ = [
    '../_base_/models/resnet152.py',
    '../_base_/datasets/places_lt.py',
    '../_base_/schedules/stage2_mislas_imagenet_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/shifted_bn.py',
]
model = dict(
    head=dict(
        num_classes=365,
        classifier=dict(type='LWSClassifier'),
        loss=dict(type='LabelAwareSmoothingLoss', smooth_head=0.4, smooth_tail=0.1)))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
frozen = dict(statistics=['backbone.bn1', 'backbone.layer[123]', 'backbone.layer4.[01]'])  # shifted in the last block
