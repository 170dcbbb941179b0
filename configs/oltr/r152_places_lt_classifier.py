# The pretrained network is kept, but for the running statistics of its batch normalisation.
_base_ = [
    '../_base_/models/oltr_r152.py',
    '../_base_/datasets/places_lt.py',
    '../_base_/schedules/oltr_30e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    head=dict(
        classifier=dict(type='OLTRClassifier'),
        regularizers=[dict(type='DiscriminativeCentroidLoss', average_step=True)]))
frozen = dict(parameters=['backbone'])
train_dataloader = dict(batch_size=128, sampler=dict(type='ClassAwareSampler'))
optim_wrapper = dict(
    optimizer=dict(lr=0.01),
    paramwise_cfg=dict(custom_keys=dict(neck=dict(lr_mult=0.01))))
