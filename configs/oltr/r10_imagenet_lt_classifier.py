# The linear layer after the pooling begins anew in this stage, as in the official code.
_base_ = [
    '../_base_/models/resnet10.py',
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/schedules/stage2_oltr_60e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    neck=[
        dict(type='ModulatedAttention', in_channels=512, size=7),
        dict(type='GlobalAveragePooling'),
        dict(type='LinearNeck', in_channels=512, out_channels=512),
    ],
    head=dict(
        classifier=dict(type='OLTRClassifier'),
        regularizers=[dict(type='DiscriminativeCentroidLoss', average_step=True)]))
train_dataloader = dict(batch_size=128, sampler=dict(type='ClassAwareSampler'))
