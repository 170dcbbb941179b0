stages = [
    dict(name='representation', config='../erm/r50_inaturalist2018.py'),
    dict(name='classifier', config='r50_inaturalist2018_classifier.py', load_from='representation'),
]
