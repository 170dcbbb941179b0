_base_ = '../erm/rx50_imagenet_lt_200e.py'
model = dict(head=dict(loss=dict(type='SoftmaxFocalLoss', gamma=3.0, detach_modulator=True)))
