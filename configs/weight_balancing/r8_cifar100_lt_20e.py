stages = [
    dict(name='representation', config='../erm/r8_cifar100_lt_20e.py'),
    dict(name='classifier', config='r8_cifar100_lt_20e_classifier.py', load_from='representation'),
]
