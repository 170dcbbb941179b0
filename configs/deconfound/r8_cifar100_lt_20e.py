_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(classifier=dict(type='CausalNormClassifier', alpha=1.5)))
