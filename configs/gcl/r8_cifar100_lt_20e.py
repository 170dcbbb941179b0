_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='GaussianCloudedLogitLoss', noise_mul=0.5)))
