"""Classifiers, the last layer: features ``(N, d)`` to logits ``(N, C)``."""

from .causal_norm_classifier import CausalNormClassifier
from .cosine_classifier import CosineClassifier
from .linear_classifier import LinearClassifier

__all__ = ['CausalNormClassifier', 'CosineClassifier', 'LinearClassifier']
