data_preprocessor = dict(
    _scope_='ltkit', mean=[
        77.8,
    ], std=[
        95.9,
    ], type='ImageDataPreprocessor')
default_hooks = dict(
    checkpoint=dict(
        _scope_='ltkit', interval=10, max_keep_ckpts=2, type='CheckpointHook'),
    logger=dict(_scope_='ltkit', interval=50, type='LoggerHook'))
default_scope = 'ltkit'
env_cfg = dict(
    cudnn_benchmark=True,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
launcher = 'none'
load_from = None
log_level = 'INFO'
model = dict(
    _scope_='ltkit',
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
    optimizer=dict(
        _scope_='ltkit', lr=0.1, momentum=0.9, type='SGD',
        weight_decay=0.0005))
param_scheduler = [
    dict(
        _scope_='ltkit',
        by_epoch=True,
        end=5,
        start_factor=0.2,
        type='LinearLR'),
    dict(
        T_max=95,
        _scope_='ltkit',
        begin=5,
        by_epoch=True,
        end=100,
        type='CosineAnnealingLR'),
]
randomness = dict(seed=1)
resume = False
test_cfg = dict()
test_dataloader = dict(
    batch_size=350,
    dataset=dict(
        _scope_='ltkit',
        pipeline=[
            dict(type='PackInputs'),
        ],
        split='test',
        type='DigitsLT'),
    num_workers=0,
    sampler=dict(_scope_='ltkit', shuffle=False, type='DefaultSampler'))
test_evaluator = dict(_scope_='ltkit', type='LongTailAccuracy')
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=50)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        _scope_='ltkit',
        imbalance_factor=50,
        pipeline=[
            dict(type='PackInputs'),
        ],
        split='train',
        type='DigitsLT'),
    num_workers=0,
    sampler=dict(_scope_='ltkit', type='ClassBalancedSampler'))
val_cfg = dict()
val_dataloader = dict(
    batch_size=350,
    dataset=dict(
        _scope_='ltkit',
        pipeline=[
            dict(type='PackInputs'),
        ],
        split='test',
        type='DigitsLT'),
    num_workers=0,
    sampler=dict(_scope_='ltkit', shuffle=False, type='DefaultSampler'))
val_evaluator = dict(_scope_='ltkit', type='LongTailAccuracy')
visualizer = dict(
    _scope_='ltkit',
    type='Visualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
work_dir = 'work_dirs/my_method/erm_class_balanced/seed1'
