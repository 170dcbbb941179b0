_base_ = '../erm/r32_cifar100_lt.py'
model = dict(head=dict(posthoc=dict(type='UNOIC', beta=1.0)))
