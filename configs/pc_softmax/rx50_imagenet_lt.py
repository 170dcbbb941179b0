_base_ = '../erm/rx50_imagenet_lt.py'
model = dict(head=dict(posthoc=dict(type='PriorCompensation')))
