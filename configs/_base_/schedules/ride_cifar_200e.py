# The recipe of RIDE on CIFAR-LT (arXiv 2010.01809): that of LDAM with Nesterov and weight decay 5e-4.
_base_ = './cifar_200e.py'
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4, nesterov=True))
