data_preprocessor = dict(
    mean=[
        77.8,
    ], std=[
        95.9,
    ], type='ImageDataPreprocessor')
default_hooks = dict(
    checkpoint=dict(interval=10, max_keep_ckpts=2, type='CheckpointHook'),
    logger=dict(interval=50, type='LoggerHook'))
default_scope = 'ltkit'
env_cfg = dict(
    cudnn_benchmark=True,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
launcher = 'none'
load_from = None
log_level = 'INFO'
model = dict(
    backbone=dict(in_channels=1, type='ResNet8'),
    head=dict(
        classifier=dict(type='LinearClassifier'),
        in_channels=64,
        loss=dict(type='SoftmaxLoss'),
        num_classes=10,
        type='LongTailClsHead'),
    neck=dict(type='GlobalAveragePooling'),
    type='ImageRecognizer')
optim_wrapper = dict(
    optimizer=dict(lr=0.1, momentum=0.9, type='SGD', weight_decay=0.0005))
param_scheduler = [
    dict(by_epoch=True, end=5, start_factor=0.2, type='LinearLR'),
    dict(T_max=95, begin=5, by_epoch=True, end=100, type='CosineAnnealingLR'),
]
randomness = dict(seed=2)
resume = False
test_cfg = dict()
test_dataloader = dict(
    batch_size=350,
    dataset=dict(
        pipeline=[
            dict(type='PackInputs'),
        ], split='test', type='DigitsLT'),
    num_workers=0,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(type='LongTailAccuracy')
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=50)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        imbalance_factor=50,
        pipeline=[
            dict(type='PackInputs'),
        ],
        split='train',
        type='DigitsLT'),
    num_workers=0,
    sampler=dict(type='InstanceBalancedSampler'))
val_cfg = dict()
val_dataloader = dict(
    batch_size=350,
    dataset=dict(
        pipeline=[
            dict(type='PackInputs'),
        ], split='test', type='DigitsLT'),
    num_workers=0,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = dict(type='LongTailAccuracy')
visualizer = dict(
    type='Visualizer', vis_backends=[
        dict(type='LocalVisBackend'),
    ])
work_dir = 'erm/r8_digits_lt'
