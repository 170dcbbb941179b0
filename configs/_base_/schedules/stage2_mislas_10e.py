# The second stage of MiSLAS (arXiv 2104.00466): the linear layer at a part of the rate of the scales, that of CIFAR-LT.
_base_ = './stage2_10e.py'
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={'head.classifier.weight': dict(lr_mult=0.2), 'head.classifier.bias': dict(lr_mult=0.2)}))
