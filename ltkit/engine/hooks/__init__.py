"""Hooks of training and evaluation."""

from .checkpoint_hook import CheckpointHook
from .checkpoint_state_hook import CheckpointStateHook
from .class_difficulty_hook import ClassDifficultyHook
from .class_distribution_hook import ClassDistributionHook
from .deferred_reweighting import DeferredReweighting
from .epoch_hook import EpochHook
from .features_for_metrics_hook import FeaturesForMetricsHook
from .finite_loss_hook import FiniteLossHook
from .fit_hook import FitHook
from .frozen_statistics_hook import FrozenStatisticsHook
from .iteration_seed_hook import IterationSeedHook
from .neural_collapse_hook import NeuralCollapseHook
from .preemption_hook import PreemptionHook
from .projection_hook import ProjectionHook
from .results_hook import ResultsHook
from .sync_statistics_hook import SyncStatisticsHook

__all__ = [
    'CheckpointHook',
    'CheckpointStateHook',
    'ClassDifficultyHook',
    'ClassDistributionHook',
    'DeferredReweighting',
    'EpochHook',
    'FeaturesForMetricsHook',
    'FiniteLossHook',
    'FitHook',
    'FrozenStatisticsHook',
    'IterationSeedHook',
    'NeuralCollapseHook',
    'PreemptionHook',
    'ProjectionHook',
    'ResultsHook',
    'SyncStatisticsHook',
]
