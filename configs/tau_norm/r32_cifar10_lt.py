_base_ = '../erm/r32_cifar10_lt.py'
model = dict(head=dict(posthoc=dict(type='TauNormalization', tau=1.0)))
