stages = [
    dict(name='representation', config='r50_imagenet_lt_200e.py'),
    dict(name='classifier', config='r50_imagenet_lt_200e_classifier.py', load_from='representation'),
]
