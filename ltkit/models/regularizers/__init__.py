"""Regularisers: terms of the loss made of features, logits and labels."""

from .base import Regularizer
from .neural_collapse_regularizer import NeuralCollapseRegularizer
from .range_loss import RangeLoss

__all__ = ['NeuralCollapseRegularizer', 'RangeLoss', 'Regularizer']
