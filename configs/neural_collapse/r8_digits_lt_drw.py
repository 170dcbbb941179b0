# ERM with the class weights and the schedule of LDAM-DRW.
_base_ = '../ldam/r8_digits_lt.py'
model = dict(
    head=dict(
        classifier=dict(_delete_=True, type='LinearClassifier'),
        loss=dict(_delete_=True, type='SoftmaxLoss', drw=dict(begin=60, beta=0.9999)),
        regularizers=[dict(type='NeuralCollapseRegularizer', within=0.05, between=0.1)]))
custom_hooks = [dict(type='NeuralCollapseHook', interval=10)]
