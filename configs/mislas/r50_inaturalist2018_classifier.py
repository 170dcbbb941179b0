_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/inaturalist2018_jitter.py',
    '../_base_/schedules/stage2_mislas_imagenet_10e.py',
    '../_base_/default_runtime.py',
    '../_base_/stages/shifted_bn.py',
]
model = dict(
    head=dict(
        num_classes=8142,
        classifier=dict(type='LWSClassifier'),
        loss=dict(type='LabelAwareSmoothingLoss', smooth_head=0.3, smooth_tail=0.0)))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
