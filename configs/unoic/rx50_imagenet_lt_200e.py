_base_ = '../erm/rx50_imagenet_lt_200e.py'
model = dict(head=dict(posthoc=dict(type='UNOIC', beta=1.0)))
