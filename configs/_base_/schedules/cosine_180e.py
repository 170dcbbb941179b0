# The recipe of MiSLAS on ImageNet-LT (arXiv 2104.00466): that of 90 epochs at 180.
_base_ = './cosine_90e.py'
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=180, end=180)]
train_cfg = dict(max_epochs=180)
