stages = [
    dict(name='representation', config='../erm/r32_cifar10_lt.py'),
    dict(name='classifier', config='r32_cifar10_lt_classifier.py', load_from='representation'),
]
