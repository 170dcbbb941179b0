# The recipe of the paper (arXiv 1910.09217) as its authors tell it: the last block and the classifier are trained, on
# weights of ImageNet-1k. The rates are those that the official config of the second stage has of both.
_base_ = ['../erm/r152_places_lt.py', '../_base_/stages/last_block_r152.py']
optim_wrapper = dict(optimizer=dict(lr=0.1), paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))
