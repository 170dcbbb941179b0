stages = [
    dict(name='representation', config='r8_digits_lt.py'),
    dict(name='classifier', config='../decouple/crt_r8_digits_lt_classifier.py', load_from='representation'),
]
