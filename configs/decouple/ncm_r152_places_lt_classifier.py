_base_ = '../erm/r152_places_lt.py'
model = dict(backbone=dict(init_cfg=None), head=dict(classifier=dict(type='NCMClassifier')))
train_cfg = dict(_delete_=True, type='FitLoop')
train_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
