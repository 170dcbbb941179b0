_base_ = [
    '../_base_/models/ride_r32_cifar.py',
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/schedules/ride_cifar_200e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=10))
train_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='torchvision/RandomCrop', size=32, padding=4),
        dict(type='torchvision/RandomHorizontalFlip'),
        dict(type='torchvision/RandomRotation', degrees=15),
        dict(type='PackInputs'),
    ]))
