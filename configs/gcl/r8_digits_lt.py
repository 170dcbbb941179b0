_base_ = '../erm/r8_digits_lt.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='GaussianCloudedLogitLoss', noise_mul=1.0)))
