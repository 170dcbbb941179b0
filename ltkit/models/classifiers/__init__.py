"""Classifiers, the last layer: features ``(N, d)`` to logits ``(N, C)``."""

from .cosine_classifier import CosineClassifier
from .linear_classifier import LinearClassifier

__all__ = ['CosineClassifier', 'LinearClassifier']
