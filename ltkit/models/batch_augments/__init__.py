"""Batch augments: ``(images, soft labels)`` of a training batch to the same."""

from .base import BatchAugment, PairMixing
from .cutmix import CutMix
from .mixup import Mixup

__all__ = ['BatchAugment', 'CutMix', 'Mixup', 'PairMixing']
