# cRT (arXiv 1910.09217): the representation as it is, a new classifier.
# The official code lets the batch normalisation of the frozen part go on: frozen = dict(statistics=[]).
_base_ = './frozen_backbone.py'
reinitialize = ['head.classifier']
