stages = [
    dict(name='representation', config='../erm/r8_digits_lt.py'),
    dict(name='classifier', config='r8_digits_lt_classifier.py', load_from='representation'),
]
