# The 1,797 handwritten digits that scikit-learn carries, 8 x 8 grey, made long-tailed:
# 100, 64, 41, 27, 17, 11, 7, 4, 3, 2 training images; 70 test images of each class.
data_preprocessor = dict(type='ImageDataPreprocessor', mean=[77.8], std=[95.9])
train_dataloader = dict(
    batch_size=32,
    in_memory=True,
    dataset=dict(type='DigitsLT', split='train', imbalance_factor=50, pipeline=[dict(type='PackInputs')]),
    sampler=dict(type='InstanceBalancedSampler'))
val_dataloader = dict(
    batch_size=350,
    in_memory=True,
    dataset=dict(type='DigitsLT', split='test', pipeline=[dict(type='PackInputs')]),
    sampler=dict(type='DefaultSampler', shuffle=False))
test_dataloader = val_dataloader
val_evaluator = dict(type='LongTailAccuracy')
test_evaluator = val_evaluator
