_base_ = [
    '../_base_/models/resnet32_cifar.py',
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/schedules/meta_weight_net_cifar_100e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(loss=dict(type='MetaWeightNetLoss')))
train_dataloader = dict(batch_size=100, dataset=dict(held_out=10))
