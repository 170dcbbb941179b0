stages = [
    dict(name='representation', config='r20_cifar100_lt_representation.py'),
    dict(name='classifier', config='lws_r20_cifar100_lt_classifier.py', load_from='representation'),
]
