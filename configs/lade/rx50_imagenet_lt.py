_base_ = '../erm/rx50_imagenet_lt.py'
model = dict(head=dict(loss=dict(type='LADELoss', remine_lambda=0.1, alpha=0.1)))
