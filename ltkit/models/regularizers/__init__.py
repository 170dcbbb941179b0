"""Regularisers: terms of the loss made of features, logits and labels."""

from .base import Regularizer
from .discriminative_centroid_loss import DiscriminativeCentroidLoss
from .neural_collapse_regularizer import NeuralCollapseRegularizer
from .range_loss import RangeLoss

__all__ = ['DiscriminativeCentroidLoss', 'NeuralCollapseRegularizer', 'RangeLoss', 'Regularizer']
