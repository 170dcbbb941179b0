# CIFAR10-LT at three imbalance factors, ResNet-32, 200 epochs.
title = 'CIFAR10-LT, ResNet-32, 200 epochs'
methods = {
    'ERM': 'erm/r32_cifar10_lt.py',
    'Weighted Softmax': 'weighted_softmax/r32_cifar10_lt.py',
    'Square-root sampling': 'resampling/r32_cifar10_lt_square_root.py',
    'Progressively balanced sampling': 'resampling/r32_cifar10_lt_progressively_balanced.py',
    'Class-aware sampling': 'resampling/r32_cifar10_lt_class_aware.py',
    'Balanced Softmax': 'balanced_softmax/r32_cifar10_lt.py',
    'BALMS': 'balms/r32_cifar10_lt.py',
    'Class-Balanced': 'class_balanced/r32_cifar10_lt.py',
    'Focal': 'focal/r32_cifar10_lt.py',
    'Logit adjustment': 'logit_adjustment/r32_cifar10_lt_posthoc.py',
    'Tau-normalisation': 'tau_norm/r32_cifar10_lt.py',
    'Logit-adjusted loss': 'logit_adjustment/r32_cifar10_lt.py',
    'VS loss': 'vs_loss/r32_cifar10_lt.py',
    'LADE': 'lade/r32_cifar10_lt.py',
    'Label-aware smoothing': 'label_aware_smoothing/r32_cifar10_lt.py',
    'Influence-balanced loss': 'influence_balanced/r32_cifar10_lt.py',
    'Range loss': 'range_loss/r32_cifar10_lt.py',
    'LDAM-DRW': 'ldam/r32_cifar10_lt.py',
    'GCL': 'gcl/r32_cifar10_lt.py',
    'KPS': 'kps/r32_cifar10_lt.py',
    'cRT': 'decouple/crt_r32_cifar10_lt.py',
    'LWS': 'decouple/lws_r32_cifar10_lt.py',
    'NCM': 'decouple/ncm_r32_cifar10_lt.py',
    'MiSLAS': 'mislas/r32_cifar10_lt.py',
    'DisAlign': 'disalign/r32_cifar10_lt.py',
    'Weight balancing': 'weight_balancing/r32_cifar10_lt.py',
    'SimCal': 'simcal/r32_cifar10_lt.py',
    'BALMS, two stages': 'balms/r32_cifar10_lt_two_stages.py',
    'GCL, two stages': 'gcl/r32_cifar10_lt_two_stages.py',
    'De-confound-TDE': 'deconfound/r32_cifar10_lt.py',
    'ETF classifier': 'etf/r32_cifar10_lt.py',
    'OLTR': 'oltr/r32_cifar10_lt.py',
    'BBN': 'bbn/r32_cifar10_lt.py',
    'RIDE': 'ride/r32_cifar10_lt.py',
}
imbalance_factors = [100, 50, 10]
seeds = [0, 1, 2]
published = 'cifar10_lt'
cfg_options = {'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')]}
