_base_ = '../erm/rx50_imagenet_lt.py'
model = dict(head=dict(posthoc=dict(type='LogitAdjustment', tau=1.0)))
