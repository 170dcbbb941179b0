# The recipe of RIDE on iNaturalist 2018 (its official code): learning rate 0.2 with batch 512.
_base_ = './ride_imagenet_100e.py'
optim_wrapper = dict(optimizer=dict(lr=0.2))
