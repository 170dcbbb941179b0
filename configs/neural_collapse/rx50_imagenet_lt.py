_base_ = '../erm/rx50_imagenet_lt.py'
model = dict(head=dict(regularizers=[dict(type='NeuralCollapseRegularizer', within=0.01, between=0.1)]))
