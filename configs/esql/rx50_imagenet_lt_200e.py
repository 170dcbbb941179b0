_base_ = '../erm/rx50_imagenet_lt_200e.py'
model = dict(head=dict(loss=dict(type='SoftmaxEqualizationLoss', gamma=0.9, lambda_=4.3e-4)))
