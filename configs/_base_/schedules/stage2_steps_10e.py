# The second stage of decoupled training in the survey's code (arXiv 2110.04596): a tenth of the learning rate after
# each third epoch.
_base_ = './stage2_10e.py'
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[3, 6, 9], gamma=0.1)]
