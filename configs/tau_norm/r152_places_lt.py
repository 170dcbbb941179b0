_base_ = '../erm/r152_places_lt.py'
model = dict(head=dict(posthoc=dict(type='TauNormalization', tau=1.0)))
