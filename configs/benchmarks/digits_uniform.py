# The methods of digits.py where there is nothing to correct: each class has 100 training images.
_base_ = 'digits.py'
title = 'Digits with equal classes, ResNet-8, 100 epochs'
imbalance_factors = [1]
reference = False
notes = ('A check of honesty: without a long tail no method has anything to gain, and each is to stay within two '
         'points of ERM. What a method gains here is no merit in long-tailed learning.')
