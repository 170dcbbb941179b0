_base_ = '../erm/r50_inaturalist2018.py'
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=5e-3))
