# CIFAR-100-LT with 25 images of each class held out of the training pool (475 to 4 are left to train on) and
# validated on: for methods that learn from balanced data, and for a temperature.
_base_ = './cifar100_lt.py'
train_dataloader = dict(dataset=dict(held_out=25))
val_dataloader = dict(dataset=dict(split='held_out', held_out=25))
