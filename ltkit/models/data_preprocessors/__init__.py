"""Data preprocessors: from what the data loader gives to what the model takes."""

from .image import ImageDataPreprocessor
from .random_batch_augment import RandomBatchAugment

__all__ = ['ImageDataPreprocessor', 'RandomBatchAugment']
