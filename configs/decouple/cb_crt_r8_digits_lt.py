stages = [
    dict(name='representation', config='../erm/r8_digits_lt.py',
         cfg_options={'train_dataloader.sampler.type': 'ClassBalancedSampler'}),
    dict(name='classifier', config='crt_r8_digits_lt_classifier.py', load_from='representation'),
]
