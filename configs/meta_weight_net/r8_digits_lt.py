# The net learns 100 times as fast as in the recipe on CIFAR: there are 800 steps, not 11,000.
_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(loss=dict(type='MetaWeightNetLoss')))
train_dataloader = dict(dataset=dict(held_out=10))
train_cfg = dict(
    type='MetaTrainLoop',
    meta_dataloader=dict(batch_size=100, dataset=dict(split='held_out')),
    meta_optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4))
