# The survey's comparison (arXiv 2110.04596, Tables 4 and 5): ImageNet-LT, ResNeXt-50, 200 epochs.
title = 'ImageNet-LT, ResNeXt-50, 200 epochs'
methods = {
    'ERM': 'erm/rx50_imagenet_lt_200e.py',
    'Weighted Softmax': 'weighted_softmax/rx50_imagenet_lt_200e.py',
    'Balanced Softmax': 'balanced_softmax/rx50_imagenet_lt_200e.py',
    'Focal': 'focal/rx50_imagenet_lt_200e.py',
    'ESQL': 'esql/rx50_imagenet_lt_200e.py',
    'UNO-IC': 'unoic/rx50_imagenet_lt_200e.py',
    'LADE': 'lade/rx50_imagenet_lt_200e.py',
    'Decouple-IB-cRT': 'decouple/ib_crt_rx50_imagenet_lt_200e.py',
    'Decouple-CB-cRT': 'decouple/cb_crt_rx50_imagenet_lt_200e.py',
    'Decouple-SR-cRT': 'decouple/sr_crt_rx50_imagenet_lt_200e.py',
    'Decouple-PB-cRT': 'decouple/pb_crt_rx50_imagenet_lt_200e.py',
    'MiSLAS': 'mislas/rx50_imagenet_lt_200e.py',
    'De-confound': 'deconfound/rx50_imagenet_lt_200e.py',
    'LDAM': 'ldam/rx50_imagenet_lt_200e.py',
    'BBN': 'bbn/rx50_imagenet_lt_200e.py',
    'RIDE': 'ride/rx50_imagenet_lt_200e.py',
}
seeds = [0]
# The last epoch's model on the test set; nothing is selected on it.
cfg_options = {
    'val_dataloader.dataset.split': 'test',
    'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')],
}
reference_options = {'train_dataloader.dataset.split': 'train_balanced'}
published = 'survey_imagenet_lt_200e'
