_base_ = '../erm/r32_cifar100_lt.py'
model = dict(head=dict(loss=dict(type='ClassBalancedLoss', beta=0.9)))
