# CIFAR-100-LT by the protocol of LDAM (arXiv 1906.07413): exponential profile, seed 0.
# Another imbalance: train_dataloader = dict(dataset=dict(imbalance_factor=50))
data_preprocessor = dict(  # the CIFAR-10 statistics, which the field uses for both
    type='ImageDataPreprocessor', mean=[125.307, 122.961, 113.8575], std=[51.5865, 50.847, 51.255])
train_dataloader = dict(
    batch_size=128,
    in_memory=True,  # whole batches on the device; with False, give num_workers
    dataset=dict(
        type='CIFAR100LT',
        data_root='data',
        split='train',
        imbalance_factor=100,
        pipeline=[
            dict(type='torchvision/RandomCrop', size=32, padding=4),
            dict(type='torchvision/RandomHorizontalFlip'),
            dict(type='PackInputs'),
        ]),
    sampler=dict(type='InstanceBalancedSampler'))
val_dataloader = dict(
    batch_size=500,
    in_memory=True,
    dataset=dict(type='CIFAR100LT', data_root='data', split='test', pipeline=[dict(type='PackInputs')]),
    sampler=dict(type='DefaultSampler', shuffle=False))
test_dataloader = val_dataloader
val_evaluator = dict(type='LongTailAccuracy')
test_evaluator = val_evaluator
