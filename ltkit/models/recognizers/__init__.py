"""Recognisers: whole models, from the data loader's batch to losses and predictions."""

from .bilateral_branch import BilateralBranchRecognizer
from .image import ImageRecognizer
from .multi_expert import MultiExpertRecognizer

__all__ = ['BilateralBranchRecognizer', 'ImageRecognizer', 'MultiExpertRecognizer']
