"""Evaluation: metrics for the runner and the functions behind them."""

from .metrics import LongTailAccuracy, LongTailMetric

__all__ = ['LongTailAccuracy', 'LongTailMetric']
