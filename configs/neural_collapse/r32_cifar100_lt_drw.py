# ERM with the class weights and the schedule of LDAM-DRW.
_base_ = '../erm/r32_cifar100_lt.py'
model = dict(
    head=dict(
        loss=dict(type='SoftmaxLoss', drw=dict(begin=160, beta=0.9999)),
        regularizers=[dict(type='NeuralCollapseRegularizer', within=0.01, between=0.1)]))
