_base_ = '../decouple/rx50_imagenet_lt_representation.py'
model = dict(head=dict(posthoc=dict(type='TauNormalization', tau=0.7)))
