stages = [
    dict(name='representation', config='../erm/r8_digits_lt.py',
         cfg_options={'optim_wrapper.optimizer.weight_decay': 5e-3}),
    dict(name='classifier', config='r8_digits_lt_classifier.py', load_from='representation'),
]
