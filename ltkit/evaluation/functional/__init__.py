"""Pure functions on arrays; they import torch and numpy alone."""

from .accuracy import (
    ConfusionCounts,
    confusion_counts,
    g_mean,
    group_accuracy,
    harmonic_mean,
    label_ranks,
    macro_f1,
    mean_class_accuracy,
    per_class_accuracy,
    predictions,
    top_k_accuracy,
    worst_class_accuracy,
)

__all__ = [
    'ConfusionCounts',
    'confusion_counts',
    'g_mean',
    'group_accuracy',
    'harmonic_mean',
    'label_ranks',
    'macro_f1',
    'mean_class_accuracy',
    'per_class_accuracy',
    'predictions',
    'top_k_accuracy',
    'worst_class_accuracy',
]
