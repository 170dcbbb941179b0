stages = [
    dict(name='representation', config='r152_places_lt_representation.py'),
    dict(name='classifier', config='lws_r152_places_lt_classifier.py', load_from='representation'),
]
