"""Metrics under mmengine's evaluator."""

from .base import LongTailMetric
from .long_tail_accuracy import LongTailAccuracy

__all__ = ['LongTailAccuracy', 'LongTailMetric']
