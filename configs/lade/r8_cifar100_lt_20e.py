_base_ = '../erm/r8_cifar100_lt_20e.py'
model = dict(head=dict(loss=dict(type='LADELoss', remine_lambda=0.01, alpha=0.1)))
