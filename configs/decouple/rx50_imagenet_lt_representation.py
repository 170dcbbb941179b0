# The recipe of the paper (arXiv 1910.09217).
_base_ = '../erm/rx50_imagenet_lt.py'
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(optimizer=dict(lr=0.2))
