_base_ = '../balanced_softmax/r32_cifar100_lt.py'
train_dataloader = dict(sampler=dict(type='MetaSampler'))
train_cfg = dict(
    type='MetaTrainLoop',
    meta_dataloader=dict(sampler=dict(type='ClassBalancedSampler')),
    meta_optimizer=dict(type='Adam', lr=0.01),
    inner_parameters='classifier')
