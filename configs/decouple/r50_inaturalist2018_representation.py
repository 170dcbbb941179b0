# The recipe of the paper (arXiv 1910.09217).
_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/inaturalist2018.py',
    '../_base_/schedules/cosine_90e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=8142))
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(optimizer=dict(lr=0.2, weight_decay=1e-4))
