stages = [
    dict(name='representation', config='../erm/r8_cifar100_lt_20e.py',
         cfg_options={'optim_wrapper.optimizer.weight_decay': 5e-3}),
    dict(name='classifier', config='r8_cifar100_lt_20e_classifier.py', load_from='representation'),
]
