"""What travels between pipeline, model and metric."""

from .batched_samples import BatchedSamples
from .data_sample import DataSample

__all__ = ['BatchedSamples', 'DataSample']
