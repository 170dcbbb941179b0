stages = [
    dict(name='representation', config='../erm/r152_places_lt.py'),
    dict(name='classifier', config='crt_r152_places_lt_classifier.py', load_from='representation'),
]
