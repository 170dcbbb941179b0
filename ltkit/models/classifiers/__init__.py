"""Classifiers, the last layer: features ``(N, d)`` to logits ``(N, C)``."""

from .causal_norm_classifier import CausalNormClassifier
from .cosine_classifier import CosineClassifier
from .disalign_classifier import DisAlignClassifier
from .linear_classifier import LinearClassifier
from .lws_classifier import LWSClassifier
from .tau_norm_classifier import TauNormClassifier

__all__ = [
    'CausalNormClassifier',
    'CosineClassifier',
    'DisAlignClassifier',
    'LWSClassifier',
    'LinearClassifier',
    'TauNormClassifier',
]
