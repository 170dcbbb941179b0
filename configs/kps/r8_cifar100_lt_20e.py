_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=15),
        loss=dict(type='KPSLoss', max_margin=0.2, begin=12)))
