# Digits-LT with 10 images of each class held out of the training pool (90, 58, 37, 24, 15, 10, 6, 4, 2, 1 are left
# to train on) and validated on: for methods that learn from balanced data, and for a temperature.
_base_ = './digits_lt.py'
train_dataloader = dict(dataset=dict(held_out=10))
val_dataloader = dict(batch_size=100, dataset=dict(split='held_out', held_out=10))
