"""Data sets, imbalance profiles, samplers and transforms."""

from . import transforms
from .base import BaseLongTailDataset
from .cifar import CIFAR10LT, CIFAR100LT
from .digits import DigitsLT
from .fashion_mnist import FashionMNISTLT
from .image_folder import LongTailImageFolder
from .image_list import ImageListDataset
from .imbalance import choose_long_tailed, imbalance_counts, index_list_hash
from .made_long_tailed import MadeLongTailedDataset
from .official_lists import ImageNetLT, INaturalist2018, PlacesLT

__all__ = [
    'BaseLongTailDataset',
    'CIFAR100LT',
    'CIFAR10LT',
    'DigitsLT',
    'FashionMNISTLT',
    'INaturalist2018',
    'ImageListDataset',
    'ImageNetLT',
    'LongTailImageFolder',
    'MadeLongTailedDataset',
    'PlacesLT',
    'choose_long_tailed',
    'imbalance_counts',
    'index_list_hash',
    'transforms',
]
