stages = [
    dict(name='representation', config='../erm/r50_inaturalist2018.py'),
    dict(name='classifier', config='ib_crt_r50_inaturalist2018_classifier.py', load_from='representation'),
]
