_base_ = '../erm/rx50_imagenet_lt_200e.py'
model = dict(head=dict(classifier=dict(type='CausalNormClassifier', alpha=3.0, lr_factor=50)))
