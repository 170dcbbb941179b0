# The study of decoupled_losses_digits.py on CIFAR100-LT at the size of a CPU.
title = ('Losses under joint and decoupled training: CIFAR100-LT at CPU size, ResNet-8, 20 epochs, 10 of a second '
         'stage')
methods = {
    'Softmax': 'erm/r8_cifar100_lt_20e.py',
    'Focal': 'focal/r8_cifar100_lt_20e.py',
    'ESQL': 'esql/r8_cifar100_lt_20e.py',
    'Balanced Softmax': 'balanced_softmax/r8_cifar100_lt_20e.py',
    'Weighted Softmax': 'weighted_softmax/r8_cifar100_lt_20e.py',
    'Class-Balanced': 'class_balanced/r8_cifar100_lt_20e.py',
    'LADE': 'lade/r8_cifar100_lt_20e.py',
    'LDAM-DRW': dict(config='ldam/r8_cifar100_lt_20e.py', second_stages={'LWS': dict(cfg_options={
        'model.head.classifier.bias': False, 'frozen.parameters': ['backbone', 'head.classifier.weight']})}),
    'Label-aware smoothing': 'label_aware_smoothing/r8_cifar100_lt_20e.py',
    'VS loss': 'vs_loss/r8_cifar100_lt_20e.py',
}
second_stages = {
    'NCM': 'decouple/ncm_r8_cifar100_lt_20e_classifier.py',
    'cRT': 'decouple/crt_r8_cifar100_lt_20e_classifier.py',
    'LWS': 'decouple/lws_r8_cifar100_lt_20e_classifier.py',
}
imbalance_factors = [100]
seeds = [0]
cfg_options = {'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')]}
reference = False
notes = ('The loss is that of the first stage. As in the survey, the second stage is the same for all of them: the '
         'network is fixed, and the classifier is trained by plain cross-entropy with the classes drawn evenly (cRT, '
         'LWS) or made of class means (NCM). LDAM has a cosine classifier; its LWS scales its rows, without bias. '
         'A small network and a short schedule, to compare within the table only.')
