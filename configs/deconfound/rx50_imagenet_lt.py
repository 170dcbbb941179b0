_base_ = '../erm/rx50_imagenet_lt.py'
model = dict(head=dict(classifier=dict(type='CausalNormClassifier', alpha=3.0, lr_factor=50)))
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(optimizer=dict(lr=0.2))
