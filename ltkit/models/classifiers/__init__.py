"""Classifiers, the last layer: features ``(N, d)`` to logits ``(N, C)``."""

from .causal_norm_classifier import CausalNormClassifier
from .cosine_classifier import CosineClassifier
from .disalign_classifier import DisAlignClassifier
from .dual_head_classifier import DualHeadClassifier
from .etf_classifier import ETFClassifier
from .linear_classifier import LinearClassifier
from .lws_classifier import LWSClassifier
from .ncm_classifier import NCMClassifier
from .oltr_classifier import OLTRClassifier
from .tau_norm_classifier import TauNormClassifier

__all__ = [
    'CausalNormClassifier',
    'CosineClassifier',
    'DisAlignClassifier',
    'DualHeadClassifier',
    'ETFClassifier',
    'LWSClassifier',
    'LinearClassifier',
    'NCMClassifier',
    'OLTRClassifier',
    'TauNormClassifier',
]
