# All methods on the long-tailed digits, three seeds, with UA and RA: minutes on a laptop.
title = 'Digits-LT, ResNet-8, 100 epochs'
methods = {
    'ERM': 'erm/r8_digits_lt.py',
    'Weighted Softmax': 'weighted_softmax/r8_digits_lt.py',
    'Square-root sampling': 'resampling/r8_digits_lt_square_root.py',
    'Progressively balanced sampling': 'resampling/r8_digits_lt_progressively_balanced.py',
    'Class-aware sampling': 'resampling/r8_digits_lt_class_aware.py',
    'Balanced Softmax': 'balanced_softmax/r8_digits_lt.py',
    'BALMS': 'balms/r8_digits_lt.py',
    'Class-Balanced': 'class_balanced/r8_digits_lt.py',
    'Focal': 'focal/r8_digits_lt.py',
    'ESQL': 'esql/r8_digits_lt.py',
    'Logit adjustment': 'logit_adjustment/r8_digits_lt_posthoc.py',
    'Tau-normalisation': 'tau_norm/r8_digits_lt.py',
    'Logit-adjusted loss': 'logit_adjustment/r8_digits_lt.py',
    'VS loss': 'vs_loss/r8_digits_lt.py',
    'LADE': 'lade/r8_digits_lt.py',
    'Label-aware smoothing': 'label_aware_smoothing/r8_digits_lt.py',
    'Influence-balanced loss': 'influence_balanced/r8_digits_lt.py',
    'Range loss': 'range_loss/r8_digits_lt.py',
    'LDAM-DRW': 'ldam/r8_digits_lt.py',
    'GCL': 'gcl/r8_digits_lt.py',
    'KPS': 'kps/r8_digits_lt.py',
    'cRT': 'decouple/crt_r8_digits_lt.py',
    'LWS': 'decouple/lws_r8_digits_lt.py',
    'NCM': 'decouple/ncm_r8_digits_lt.py',
    'MiSLAS': 'mislas/r8_digits_lt.py',
    'DisAlign': 'disalign/r8_digits_lt.py',
    'Weight balancing': 'weight_balancing/r8_digits_lt.py',
    'SimCal': 'simcal/r8_digits_lt.py',
    'BALMS, two stages': 'balms/r8_digits_lt_two_stages.py',
    'GCL, two stages': 'gcl/r8_digits_lt_two_stages.py',
    'De-confound-TDE': 'deconfound/r8_digits_lt.py',
    'ETF classifier': 'etf/r8_digits_lt.py',
    'OLTR': 'oltr/r8_digits_lt.py',
    'BBN': 'bbn/r8_digits_lt.py',
    'RIDE': 'ride/r8_digits_lt.py',
    'ERM, part held out': 'erm/r8_digits_lt_held_out.py',
    'Class difficulty, part held out': 'class_difficulty/r8_digits_lt.py',
    'Meta-Weight-Net, part held out': 'meta_weight_net/r8_digits_lt.py',
}
seeds = [0, 1, 2]
notes = ('The 1,797 handwritten digits that scikit-learn carries, made long-tailed: small enough to be run by all, '
         'too small to rank methods by. The three methods with a part held out train without 10 images of each class, '
         'from which the last two learn class difficulties or weights: 90 to 1 images a class in place of 100 to 2.')
cfg_options = {'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')]}
