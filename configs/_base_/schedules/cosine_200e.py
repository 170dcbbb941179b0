# The recipe of the survey on ImageNet-LT (arXiv 2110.04596), 200 epochs: batch 256, cosine to zero.
_base_ = './cosine_90e.py'
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=200, end=200)]
train_cfg = dict(max_epochs=200)
