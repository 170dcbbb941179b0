_base_ = '../erm/r152_places_lt.py'
model = dict(head=dict(loss=dict(type='BalancedSoftmaxLoss')))
