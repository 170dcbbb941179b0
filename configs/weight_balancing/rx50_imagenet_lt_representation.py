_base_ = '../erm/rx50_imagenet_lt.py'
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=5e-3))
