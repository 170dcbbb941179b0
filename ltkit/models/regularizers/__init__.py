"""Regularisers: terms of the loss made of features, logits and labels."""

from .base import Regularizer
from .range_loss import RangeLoss

__all__ = ['RangeLoss', 'Regularizer']
