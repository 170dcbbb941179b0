_base_ = '../erm/r32_cifar10_lt.py'
model = dict(head=dict(classifier=dict(type='NCMClassifier')))
train_cfg = dict(_delete_=True, type='FitLoop')
train_dataloader = dict(dataset=dict(pipeline=[dict(type='PackInputs')]))  # that of the test
