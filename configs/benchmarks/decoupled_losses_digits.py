# Losses under joint and decoupled training, the survey's study (arXiv 2110.04596), on the long-tailed digits.
# Each method is trained once a seed, and each second stage begins from its weights; of the loss it takes nothing.
title = 'Losses under joint and decoupled training: Digits-LT, ResNet-8, 100 epochs, 10 of a second stage'
methods = {
    'Softmax': 'erm/r8_digits_lt.py',
    'Focal': 'focal/r8_digits_lt.py',
    'ESQL': 'esql/r8_digits_lt.py',
    'Balanced Softmax': 'balanced_softmax/r8_digits_lt.py',
    'Weighted Softmax': 'weighted_softmax/r8_digits_lt.py',
    'Class-Balanced': 'class_balanced/r8_digits_lt.py',
    'LADE': 'lade/r8_digits_lt.py',
    'LDAM-DRW': dict(config='ldam/r8_digits_lt.py', second_stages={'LWS': dict(cfg_options={
        'model.head.classifier.bias': False, 'frozen.parameters': ['backbone', 'head.classifier.weight']})}),
    'Label-aware smoothing': 'label_aware_smoothing/r8_digits_lt.py',
    'VS loss': 'vs_loss/r8_digits_lt.py',
}
second_stages = {
    'NCM': 'decouple/ncm_r8_digits_lt_classifier.py',
    'cRT': 'decouple/crt_r8_digits_lt_classifier.py',
    'LWS': 'decouple/lws_r8_digits_lt_classifier.py',
}
seeds = [0, 1, 2]
reference = False
notes = ('The loss is that of the first stage. As in the survey, the second stage is the same for all of them: the '
         'network is fixed, and the classifier is trained by plain cross-entropy with the classes drawn evenly (cRT, '
         'LWS) or made of class means (NCM). LDAM has a cosine classifier; its LWS scales its rows, without bias.')
