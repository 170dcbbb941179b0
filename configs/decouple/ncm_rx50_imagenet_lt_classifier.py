_base_ = '../erm/rx50_imagenet_lt.py'
model = dict(head=dict(classifier=dict(type='NCMClassifier')))
train_cfg = dict(_delete_=True, type='FitLoop')
train_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
