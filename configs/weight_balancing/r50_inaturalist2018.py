stages = [
    dict(name='representation', config='r50_inaturalist2018_representation.py'),
    dict(name='classifier', config='r50_inaturalist2018_classifier.py', load_from='representation'),
]
