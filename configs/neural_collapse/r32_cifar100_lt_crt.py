stages = [
    dict(name='representation', config='r32_cifar100_lt.py'),
    dict(name='classifier', config='../decouple/crt_r32_cifar100_lt_classifier.py', load_from='representation'),
]
