_base_ = '../erm/rx50_imagenet_lt.py'
model = dict(head=dict(loss=dict(type='SoftmaxFocalLoss', gamma=3.0, detach_modulator=True)))
