# RIDE of a CPU size: one block in each stage.
_base_ = './ride_r32_cifar.py'
model = dict(backbone=dict(type='RIDEResNet8'))
