stages = [
    dict(name='representation', config='../erm/rx50_imagenet_lt.py'),
    dict(name='classifier', config='rx50_imagenet_lt_classifier.py', load_from='representation'),
]
