stages = [
    dict(name='representation', config='r8_digits_lt_representation.py'),
    dict(name='classifier', config='r8_digits_lt_classifier.py', load_from='representation'),
]
