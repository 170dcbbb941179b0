"""Samplers: how often each class is seen, and in which order."""

from .bi_level_sampler import BiLevelSampler
from .class_aware_sampler import ClassAwareSampler
from .class_balanced_sampler import ClassBalancedSampler
from .class_probability_sampler import ClassLabelSampler, ClassProbabilitySampler
from .global_batch_sampler import GlobalBatchSampler
from .instance_balanced_sampler import InstanceBalancedSampler
from .long_tail_sampler import LongTailSampler
from .meta_sampler import MetaSampler
from .paired_sampler import PairedSampler
from .progressively_balanced_sampler import ProgressivelyBalancedSampler
from .repeat_factor_sampler import RepeatFactorSampler
from .reversed_sampler import ReversedSampler
from .square_root_sampler import SquareRootSampler

__all__ = [
    'BiLevelSampler',
    'ClassAwareSampler',
    'ClassBalancedSampler',
    'ClassLabelSampler',
    'ClassProbabilitySampler',
    'GlobalBatchSampler',
    'InstanceBalancedSampler',
    'LongTailSampler',
    'MetaSampler',
    'PairedSampler',
    'ProgressivelyBalancedSampler',
    'RepeatFactorSampler',
    'ReversedSampler',
    'SquareRootSampler',
]
