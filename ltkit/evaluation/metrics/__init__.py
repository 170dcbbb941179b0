"""Metrics under mmengine's evaluator."""

from .base import LongTailMetric
from .calibration import Calibration
from .grouped import GroupedMetric
from .long_tail_accuracy import LongTailAccuracy
from .neural_collapse import NeuralCollapse
from .prior_shift_accuracy import PriorShiftAccuracy
from .relative_accuracy import RelativeAccuracy

__all__ = ['Calibration', 'GroupedMetric', 'LongTailAccuracy', 'LongTailMetric', 'NeuralCollapse',
           'PriorShiftAccuracy', 'RelativeAccuracy']
