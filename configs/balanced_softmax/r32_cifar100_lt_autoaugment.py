# The recipe of Balanced Softmax on CIFAR-LT (arXiv 2007.10740, official code): 13,000 steps of batch 512,
# AutoAugment and Cutout, warm-up of 800 steps, cosine.
_base_ = './r32_cifar100_lt.py'
train_dataloader = dict(
    batch_size=512,
    dataset=dict(pipeline=[
        dict(type='torchvision/RandomCrop', size=32, padding=4),
        dict(type='torchvision/RandomHorizontalFlip'),
        dict(type='CIFARAutoAugment'),
        dict(type='Cutout', size=16),
        dict(type='PackInputs'),
    ]))
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.5, by_epoch=False, end=800),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=800, end=13000, T_max=12200),
]
train_cfg = dict(_delete_=True, by_epoch=False, max_iters=13000, val_interval=1000)
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=1000))
log_processor = dict(by_epoch=False)
