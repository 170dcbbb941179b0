# A ResNet of CPU size: one block in each of three stages of 16, 32 and 64 channels.
_base_ = './resnet32_cifar.py'
model = dict(backbone=dict(type='ResNet8'))
