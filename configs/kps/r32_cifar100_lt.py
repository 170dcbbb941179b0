_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/gcl_cifar_200e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=15), loss=dict(type='KPSLoss', max_margin=0.2, begin=120)))
train_dataloader = dict(batch_size=64)
