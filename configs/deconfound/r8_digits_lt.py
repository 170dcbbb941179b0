_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(classifier=dict(type='CausalNormClassifier', alpha=1.0)))
