"""Evaluation: metrics for the runner and the functions behind them."""

from .metrics import (
    Calibration,
    GroupedMetric,
    LongTailAccuracy,
    LongTailMetric,
    NeuralCollapse,
    PriorShiftAccuracy,
    RelativeAccuracy,
)

__all__ = ['Calibration', 'GroupedMetric', 'LongTailAccuracy', 'LongTailMetric', 'NeuralCollapse',
           'PriorShiftAccuracy', 'RelativeAccuracy']
