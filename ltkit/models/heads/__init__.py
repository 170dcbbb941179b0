"""Heads: from features to losses and predictions."""

from .bilateral_branch_head import BilateralBranchHead
from .long_tail_cls_head import LongTailClsHead
from .multi_expert_head import MultiExpertHead

__all__ = ['BilateralBranchHead', 'LongTailClsHead', 'MultiExpertHead']
