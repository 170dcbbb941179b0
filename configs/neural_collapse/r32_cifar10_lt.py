_base_ = '../erm/r32_cifar10_lt.py'
model = dict(head=dict(regularizers=[dict(type='NeuralCollapseRegularizer', within=0.01, between=0.1)]))
