_base_ = '../erm/r8_digits_lt.py'
model = dict(
    head=dict(
        classifier=dict(type='CosineClassifier', scale=30),
        loss=dict(type='LDAMLoss', max_margin=0.5, drw=dict(begin=80, beta=0.9999))))
