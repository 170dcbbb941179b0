"""Each check of a data set is failed by a data set that breaks that promise."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch.utils.data import get_worker_info

from ltkit.datasets import BaseLongTailDataset
from ltkit.datasets.columns import Columns
from ltkit.distribution import ClassDistribution
from ltkit.testing import ConformanceError, check_dataset, checks_of
from ltkit.testing.conformance import Check, Part
from ltkit.utils.errors import DataError

WRONG: dict[str, type] = {}
LABELS = [0, 1, 0, 2, 0, 0, 1]


def fails(name):
    def keep(cls):
        WRONG[name] = cls
        return cls
    return keep


class Good(BaseLongTailDataset):
    """Seven noise images of three classes."""

    def load_columns(self):
        if self.data_root != 'here':
            raise DataError(f'no data in {self.data_root}')
        images = np.random.default_rng(0).integers(0, 256, (len(LABELS), 4, 5, 3), dtype=np.uint8)
        return Columns(np.array(LABELS), images=images, classes=['a', 'b', 'c'])


@fails('length_and_labels')
class ListOfLabels(Good):
    def get_gt_labels(self):
        return super().get_gt_labels().tolist()


@fails('classes')
class TooFewNames(Good):
    @property
    def metainfo(self):
        return dict(classes=('a', 'b'))


@fails('class_distribution')
class AllEqual(Good):
    @property
    def class_distribution(self):
        return ClassDistribution([1, 1, 1])


@fails('data_info')
class ShiftedLabels(Good):
    def get_data_info(self, idx):
        return {**super().get_data_info(idx), 'gt_label': 0}


@fails('images')
class FloatImages(Good):
    def get_data_info(self, idx):
        info = super().get_data_info(idx)
        return {**info, 'img': info['img'] / 255}


@fails('items')
class OtherIndex(Good):
    def prepare_data(self, idx):
        item = super().prepare_data(idx)
        item['data_samples'].set_metainfo(dict(sample_idx=0))
        return item


@fails('items_are_not_shared')
class Views(Good):
    def get_data_info(self, idx):
        return {**super().get_data_info(idx), 'img': self.columns.images[idx]}


@fails('same_arguments_same_samples')
class GlobalShuffle(Good):
    def load_columns(self):
        columns = super().load_columns()
        return columns.take(np.random.permutation(len(LABELS)))  # noqa: NPY002


@fails('random_state_untouched')
class Reseeds(Good):
    def load_columns(self):
        torch.manual_seed(0)
        return super().load_columns()


@fails('seeded_augmentation')
class OwnRandomness(Good):
    def prepare_data(self, idx):
        random.seed()
        return super().prepare_data(idx)


@fails('indices')
class AnyIndex(Good):
    def get_data_info(self, idx):
        return super().get_data_info(idx % len(self))


@fails('subset')
class KeepsTheWhole(Good):
    def get_subset_(self, indices):
        self.columns = self.columns.take(np.asarray(indices))


@fails('wrapped')
class OwnCounts(Good):
    @property
    def class_distribution(self):
        return ClassDistribution([50, 5, 1], many_threshold=10)


@fails('category_ids')
class ArrayIds(Good):
    def get_cat_ids(self, idx):
        return [0]


@fails('copies_are_equal')
class HoldsALambda(Good):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.function = lambda x: x


@fails('loader_workers')
class DiffersInWorkers(Good):
    def get_data_info(self, idx):
        info = super().get_data_info(idx)
        return info if get_worker_info() is None else {**info, 'img': 255 - info['img']}


@fails('lazy_init')
class Eager(Good):
    def __init__(self, *args, lazy_init=False, **kwargs):
        super().__init__(*args, **kwargs)


@fails('missing_folder')
class SilentlyElsewhere(Good):
    def load_columns(self):
        self.data_root = 'here'
        return super().load_columns()


@fails('wrong_split')
class AnySplit(Good):
    def __init__(self, data_root='', split='train', **kwargs):
        super().__init__(data_root, 'train', **kwargs)


@fails('config_round_trip')
class Counted(Good):
    built = 0

    def load_columns(self):
        type(self).built += 1
        return super().load_columns().take(np.roll(np.arange(len(LABELS)), self.built))


def part(cls):
    return Part('dataset', dict(type=cls, data_root='here'))


def test_a_good_data_set_passes():
    assert set(check_dataset(dict(type=Good, data_root='here')).values()) == {'passed'}


def test_each_check_can_fail():
    assert set(WRONG) == set(checks_of('dataset'))


@pytest.mark.parametrize('name', WRONG)
def test_wrong_data_set_is_caught(name):
    with pytest.raises(ConformanceError):
        Check(name, checks_of('dataset')[name], part(WRONG[name]))()
