data_preprocessor = dict(
    mean=[
        125.307,
        122.961,
        113.8575,
    ],
    std=[
        51.5865,
        50.847,
        51.255,
    ],
    type='ImageDataPreprocessor')
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
    backbone=dict(type='ResNet8'),
    head=dict(
        classifier=dict(type='LinearClassifier'),
        in_channels=64,
        loss=dict(type='SoftmaxLoss'),
        num_classes=100,
        type='LongTailClsHead'),
    neck=dict(type='GlobalAveragePooling'),
    type='ImageRecognizer')
optim_wrapper = dict(
    optimizer=dict(lr=0.1, momentum=0.9, type='SGD', weight_decay=0.0005))
param_scheduler = [
    dict(by_epoch=True, end=2, start_factor=0.2, type='LinearLR'),
    dict(T_max=18, begin=2, by_epoch=True, end=20, type='CosineAnnealingLR'),
]
randomness = dict(seed=0)
resume = False
test_cfg = dict()
test_dataloader = dict(
    batch_size=500,
    dataset=dict(
        data_root='data',
        pipeline=[
            dict(type='PackInputs'),
        ],
        split='test',
        type='CIFAR100LT'),
    num_workers=2,
    persistent_workers=True,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(type='LongTailAccuracy')
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=5)
train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        data_root='data',
        imbalance_factor=100,
        pipeline=[
            dict(padding=4, size=32, type='torchvision/RandomCrop'),
            dict(type='torchvision/RandomHorizontalFlip'),
            dict(type='PackInputs'),
        ],
        split='train',
        type='CIFAR100LT'),
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InstanceBalancedSampler'))
val_cfg = dict()
val_dataloader = dict(
    batch_size=500,
    dataset=dict(
        data_root='data',
        pipeline=[
            dict(type='PackInputs'),
        ],
        split='test',
        type='CIFAR100LT'),
    num_workers=2,
    persistent_workers=True,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = dict(type='LongTailAccuracy')
visualizer = dict(
    type='Visualizer', vis_backends=[
        dict(type='LocalVisBackend'),
    ])
work_dir = 'work_dirs/erm/r8_cifar100_lt_20e'
