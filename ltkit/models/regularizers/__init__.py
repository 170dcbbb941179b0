"""Regularisers: terms of the loss made of features, logits and labels."""

from .base import Regularizer
from .discriminative_centroid_loss import DiscriminativeCentroidLoss
from .max_norm import MaxNorm
from .neural_collapse_regularizer import NeuralCollapseRegularizer
from .range_loss import RangeLoss
from .weight_balancing import WeightBalancing

__all__ = [
    'DiscriminativeCentroidLoss',
    'MaxNorm',
    'NeuralCollapseRegularizer',
    'RangeLoss',
    'Regularizer',
    'WeightBalancing',
]
