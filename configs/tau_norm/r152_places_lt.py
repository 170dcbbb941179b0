_base_ = '../decouple/r152_places_lt_representation.py'
model = dict(head=dict(posthoc=dict(type='TauNormalization', tau=1.0)))
