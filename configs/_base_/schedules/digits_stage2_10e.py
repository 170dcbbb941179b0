# The second stage of decoupled training on the digits, of a tenth of the first.
_base_ = './stage2_10e.py'
