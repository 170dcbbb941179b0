_base_ = '../ldam/r8_cifar100_lt_20e.py'
model = dict(head=dict(regularizers=[dict(type='NeuralCollapseRegularizer', within=0.01, between=0.1)]))
custom_hooks = [dict(type='NeuralCollapseHook', interval=5)]
