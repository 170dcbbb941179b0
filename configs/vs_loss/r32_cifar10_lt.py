_base_ = '../erm/r32_cifar10_lt.py'
model = dict(head=dict(loss=dict(type='VSLoss', gamma=0.2, tau=1.2)))
