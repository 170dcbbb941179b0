# The second stage of MiSLAS on the large data sets.
_base_ = './stage2_mislas_10e.py'
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={'head.classifier.weight': dict(lr_mult=0.05), 'head.classifier.bias': dict(lr_mult=0.05)}))
