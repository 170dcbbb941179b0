_base_ = '../erm/r32_cifar100_lt.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='LDAMLoss', max_margin=0.5, drw=dict(begin=160, beta=0.9999))))
