"""Samplers: how often each class is seen, and in which order."""

from .global_batch_sampler import GlobalBatchSampler
from .instance_balanced_sampler import InstanceBalancedSampler
from .long_tail_sampler import LongTailSampler

__all__ = ['GlobalBatchSampler', 'InstanceBalancedSampler', 'LongTailSampler']
