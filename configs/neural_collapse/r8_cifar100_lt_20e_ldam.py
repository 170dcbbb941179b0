_base_ = '../ldam/r8_cifar100_lt_20e.py'
# From the epoch on in which the deferred class weights begin: before it the features of rare classes are not there yet.
model = dict(
    head=dict(regularizers=[dict(type='NeuralCollapseRegularizer', within=0.05, between=0.5, begin=14)]))
custom_hooks = [dict(type='NeuralCollapseHook', interval=5)]
