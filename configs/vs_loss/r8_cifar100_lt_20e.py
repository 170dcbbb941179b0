_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(loss=dict(type='VSLoss', gamma=0.05, tau=0.75)))
