_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(loss=dict(type='ClassBalancedLoss', beta=0.9)))
