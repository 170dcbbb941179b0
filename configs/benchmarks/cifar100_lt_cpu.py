# CIFAR100-LT at the size of a CPU: ResNet-8 and 20 epochs. No published recipe, so no published figures beside it.
title = 'CIFAR100-LT at CPU size: ResNet-8, 20 epochs'
methods = {
    'ERM': 'erm/r8_cifar100_lt_20e.py',
    'Weighted Softmax': 'weighted_softmax/r8_cifar100_lt_20e.py',
    'Square-root sampling': 'resampling/r8_cifar100_lt_20e_square_root.py',
    'Progressively balanced sampling': 'resampling/r8_cifar100_lt_20e_progressively_balanced.py',
    'Class-aware sampling': 'resampling/r8_cifar100_lt_20e_class_aware.py',
    'Balanced Softmax': 'balanced_softmax/r8_cifar100_lt_20e.py',
    'BALMS': 'balms/r8_cifar100_lt_20e.py',
    'Class-Balanced': 'class_balanced/r8_cifar100_lt_20e.py',
    'Focal': 'focal/r8_cifar100_lt_20e.py',
    'ESQL': 'esql/r8_cifar100_lt_20e.py',
    'Logit adjustment': 'logit_adjustment/r8_cifar100_lt_20e_posthoc.py',
    'Tau-normalisation': 'tau_norm/r8_cifar100_lt_20e.py',
    'Logit-adjusted loss': 'logit_adjustment/r8_cifar100_lt_20e.py',
    'VS loss': 'vs_loss/r8_cifar100_lt_20e.py',
    'LADE': 'lade/r8_cifar100_lt_20e.py',
    'Label-aware smoothing': 'label_aware_smoothing/r8_cifar100_lt_20e.py',
    'Influence-balanced loss': 'influence_balanced/r8_cifar100_lt_20e.py',
    'Range loss': 'range_loss/r8_cifar100_lt_20e.py',
    'LDAM-DRW': 'ldam/r8_cifar100_lt_20e.py',
    'GCL': 'gcl/r8_cifar100_lt_20e.py',
    'KPS': 'kps/r8_cifar100_lt_20e.py',
    'cRT': 'decouple/crt_r8_cifar100_lt_20e.py',
    'LWS': 'decouple/lws_r8_cifar100_lt_20e.py',
    'NCM': 'decouple/ncm_r8_cifar100_lt_20e.py',
    'MiSLAS': 'mislas/r8_cifar100_lt_20e.py',
    'DisAlign': 'disalign/r8_cifar100_lt_20e.py',
    'Weight balancing': 'weight_balancing/r8_cifar100_lt_20e.py',
    'SimCal': 'simcal/r8_cifar100_lt_20e.py',
    'BALMS, two stages': 'balms/r8_cifar100_lt_20e_two_stages.py',
    'GCL, two stages': 'gcl/r8_cifar100_lt_20e_two_stages.py',
    'De-confound-TDE': 'deconfound/r8_cifar100_lt_20e.py',
    'ETF classifier': 'etf/r8_cifar100_lt_20e.py',
    'OLTR': 'oltr/r8_cifar100_lt_20e.py',
    'BBN': 'bbn/r8_cifar100_lt_20e.py',
    'RIDE': 'ride/r8_cifar100_lt_20e.py',
    'Class difficulty, part held out': 'class_difficulty/r8_cifar100_lt_20e.py',
    'Meta-Weight-Net, part held out': 'meta_weight_net/r8_cifar100_lt_20e.py',
}
imbalance_factors = [100]
seeds = [0, 1, 2]
notes = ('Not the recipe of the papers: a small network and a short schedule, to compare methods with each other only. '
         'The methods with a part held out train without 25 (class difficulty) or 10 images of each class.')
cfg_options = {'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')]}
