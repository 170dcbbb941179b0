_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(classifier=dict(type='NCMClassifier')))
train_cfg = dict(_delete_=True, type='FitLoop')
