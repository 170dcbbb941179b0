_base_ = '../ride/r32_cifar100_lt.py'
model = dict(head=dict(regularizers=[dict(type='NeuralCollapseRegularizer', within=0.01, between=0.1)]))
