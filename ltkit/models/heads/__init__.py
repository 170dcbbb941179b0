"""Heads: from features to losses and predictions."""

from .long_tail_cls_head import LongTailClsHead
from .multi_expert_head import MultiExpertHead

__all__ = ['LongTailClsHead', 'MultiExpertHead']
