_base_ = '../erm/r32_cifar100_lt.py'
model = dict(head=dict(loss=dict(type='LADELoss', remine_lambda=0.01, alpha=0.1)))
