stages = [
    dict(name='representation', config='r8_cifar100_lt_20e_representation.py'),
    dict(name='classifier', config='r8_cifar100_lt_20e_classifier.py', load_from='representation'),
]
