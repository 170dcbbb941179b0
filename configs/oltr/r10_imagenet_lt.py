stages = [
    dict(name='representation', config='r10_imagenet_lt_representation.py'),
    dict(name='classifier', config='r10_imagenet_lt_classifier.py', load_from='representation'),
]
