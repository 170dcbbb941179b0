"""Necks: what stands between the backbone's maps and the head's features."""

from .gap import GlobalAveragePooling
from .linear_neck import LinearNeck
from .modulated_attention import ModulatedAttention

__all__ = ['GlobalAveragePooling', 'LinearNeck', 'ModulatedAttention']
