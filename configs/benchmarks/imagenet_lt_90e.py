# The survey's comparison (arXiv 2110.04596, Tables 4 and 5): ImageNet-LT, ResNeXt-50, 90 epochs.
title = 'ImageNet-LT, ResNeXt-50, 90 epochs'
methods = {
    'ERM': 'erm/rx50_imagenet_lt.py',
    'Weighted Softmax': 'weighted_softmax/rx50_imagenet_lt.py',
    'Balanced Softmax': 'balanced_softmax/rx50_imagenet_lt.py',
    'Focal': 'focal/rx50_imagenet_lt.py',
    'ESQL': 'esql/rx50_imagenet_lt.py',
    'UNO-IC': 'unoic/rx50_imagenet_lt.py',
    'LADE': 'lade/rx50_imagenet_lt.py',
    'Decouple-IB-cRT': 'decouple/ib_crt_rx50_imagenet_lt.py',
    'Decouple-CB-cRT': 'decouple/cb_crt_rx50_imagenet_lt.py',
    'Decouple-SR-cRT': 'decouple/sr_crt_rx50_imagenet_lt.py',
    'Decouple-PB-cRT': 'decouple/pb_crt_rx50_imagenet_lt.py',
    'MiSLAS': 'mislas/rx50_imagenet_lt.py',
    'De-confound': 'deconfound/rx50_imagenet_lt.py',
    'LDAM': 'ldam/rx50_imagenet_lt.py',
    'BBN': 'bbn/rx50_imagenet_lt_90e.py',
    'RIDE': 'ride/rx50_imagenet_lt_90e.py',
}
seeds = [0]
# The last epoch's model on the test set; nothing is selected on it.
cfg_options = {
    'val_dataloader.dataset.split': 'test',
    'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')],
}
reference_options = {'train_dataloader.dataset.split': 'train_balanced'}
published = 'survey_imagenet_lt_90e'
