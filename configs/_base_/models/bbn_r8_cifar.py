# BBN on a ResNet of CPU size: the branches are its third stage.
_base_ = './bbn_r32_cifar.py'
model = dict(backbone=dict(type='BBNResNet8'))
