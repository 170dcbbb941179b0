_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/stage2_oltr_60e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    neck=[dict(type='ModulatedAttention', in_channels=64, size=8), dict(type='GlobalAveragePooling')],
    head=dict(
        classifier=dict(type='OLTRClassifier'),
        regularizers=[dict(type='DiscriminativeCentroidLoss', average_step=True)]))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
optim_wrapper = dict(optimizer=dict(weight_decay=2e-4))
