_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(posthoc=dict(type='UNOIC', beta=1.0)))
