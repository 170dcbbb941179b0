stages = [
    dict(name='representation', config='rx50_imagenet_lt_representation.py'),
    dict(name='classifier', config='rx50_imagenet_lt_classifier.py', load_from='representation'),
]
