"""Data sets, imbalance profiles, samplers and transforms."""

from . import transforms
from .base import BaseLongTailDataset
from .cifar import CIFAR10LT, CIFAR100LT
from .digits import DigitsLT
from .imbalance import choose_long_tailed, imbalance_counts, index_list_hash
from .made_long_tailed import MadeLongTailedDataset

__all__ = [
    'BaseLongTailDataset',
    'CIFAR100LT',
    'CIFAR10LT',
    'DigitsLT',
    'MadeLongTailedDataset',
    'choose_long_tailed',
    'imbalance_counts',
    'index_list_hash',
    'transforms',
]
