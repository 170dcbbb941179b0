"""Recognisers: whole models, from the data loader's batch to losses and predictions."""

from .image import ImageRecognizer
from .multi_expert import MultiExpertRecognizer

__all__ = ['ImageRecognizer', 'MultiExpertRecognizer']
