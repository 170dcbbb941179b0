_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/ldam_imagenet_90e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='LDAMLoss', max_margin=0.5, drw=dict(begin=72, beta=0.9999))))
