"""Whole batches made on the training device, for data that fits in memory."""

from .base import BatchedTransform, batched_twin, on_device, twin_of
from .loader import InMemoryDataLoader
from .pipeline import BatchedPipeline

__all__ = ['BatchedPipeline', 'BatchedTransform', 'InMemoryDataLoader', 'batched_twin', 'on_device', 'twin_of']
