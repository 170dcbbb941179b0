_base_ = '../erm/r8_digits_lt.py'
model = dict(head=dict(posthoc=dict(type='PriorCompensation')))
