stages = [
    dict(name='representation', config='r32_cifar10_lt_representation.py'),
    dict(name='classifier', config='r32_cifar10_lt_classifier.py', load_from='representation'),
]
