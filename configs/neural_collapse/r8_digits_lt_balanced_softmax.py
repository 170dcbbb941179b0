_base_ = '../balanced_softmax/r8_digits_lt.py'
model = dict(head=dict(regularizers=[dict(type='NeuralCollapseRegularizer', within=0.05, between=0.1)]))
custom_hooks = [dict(type='NeuralCollapseHook', interval=10)]
