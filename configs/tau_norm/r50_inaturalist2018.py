_base_ = '../decouple/r50_inaturalist2018_representation.py'
model = dict(head=dict(posthoc=dict(type='TauNormalization', tau=1.0)))
