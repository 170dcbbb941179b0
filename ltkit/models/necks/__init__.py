"""Necks: what stands between the backbone's maps and the head's features."""

from .gap import GlobalAveragePooling

__all__ = ['GlobalAveragePooling']
