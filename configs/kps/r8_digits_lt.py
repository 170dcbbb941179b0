_base_ = '../erm/r8_digits_lt.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=15),
        loss=dict(type='KPSLoss', max_margin=0.5, begin=60)))
