_base_ = '../erm/r8_digits_lt.py'
# Classes of less than 30 % of the images (83 of 276) are repeated; the 0.001 of LVIS would repeat none.
train_dataloader = dict(sampler=dict(type='RepeatFactorSampler', threshold=0.3))
