"""Losses, called as ``loss(cls_score, target)``; see :class:`LongTailLoss`."""

from .balanced_softmax_loss import BalancedSoftmaxLoss
from .base import LongTailLoss
from .softmax_loss import SoftmaxLoss

__all__ = ['BalancedSoftmaxLoss', 'LongTailLoss', 'SoftmaxLoss']
