_base_ = '../erm/r50_inaturalist2018.py'
model = dict(head=dict(loss=dict(type='SoftmaxFocalLoss', gamma=3.0, detach_modulator=True)))
