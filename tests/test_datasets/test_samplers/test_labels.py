from __future__ import annotations

import numpy as np
import pytest
from mmengine.dataset import BaseDataset, ClassBalancedDataset
from torch.utils.data import Subset

from ltkit.datasets.samplers.labels import label_pairs, single_labels
from ltkit.utils.errors import ConfigError, DataError, DistributionError

LISTS = [[1], [], [0, 2, 0], [2, 2], [4, 0]]
PAIRS = [(0, 1), (2, 0), (2, 2), (3, 2), (4, 0), (4, 4)]


class SeveralLabels:
    """A data set of several labels a sample."""

    def __init__(self, lists) -> None:
        self.lists = lists

    def __len__(self) -> int:
        return len(self.lists)

    def get_cat_ids(self, index: int) -> list[int]:
        return self.lists[index]


class AlsoLabels(SeveralLabels):
    """One whose class has a ``get_gt_labels`` that gives the lists."""

    def get_gt_labels(self):
        return self.lists


class OfMmengine(BaseDataset):
    """A data set of mmengine that tells nothing."""

    def load_data_list(self):
        return [dict(img_path='a')]


class SeveralOfMmengine(BaseDataset):
    """A data set of mmengine with several labels a sample."""

    def load_data_list(self):
        return [dict(labels=labels) for labels in LISTS]

    def get_cat_ids(self, index):
        return self.get_data_info(index)['labels']


class Unreadable(SeveralLabels):
    """One whose configuration is wrong."""

    def get_gt_labels(self):
        raise ConfigError('no split of that name')


def pairs_of(dataset) -> list[tuple[int, int]]:
    samples, classes = label_pairs('ASampler', dataset)
    assert samples.dtype == classes.dtype == np.int64
    return list(zip(samples.tolist(), classes.tolist()))


def test_one_label_each(labelled):
    assert single_labels('ASampler', labelled([2, 0, 1])).tolist() == [2, 0, 1]
    assert pairs_of(labelled([2, 0, 1])) == [(0, 2), (1, 0), (2, 1)]
    assert pairs_of(Subset(labelled([2, 0, 1]), [2, 0])) == [(0, 1), (1, 2)]


@pytest.mark.parametrize('kind', [SeveralLabels, AlsoLabels])
def test_several_labels_each(kind):
    assert pairs_of(kind(LISTS)) == PAIRS
    assert pairs_of(kind([[1, 0], [0, 2]])) == [(0, 0), (0, 1), (1, 0), (1, 2)]  # lists of one length
    assert pairs_of(kind([[3], [1]])) == [(0, 3), (1, 1)]
    assert pairs_of(kind([[], []])) == []


def test_single_labels_go_first(labelled):
    class Both(labelled):
        def get_cat_ids(self, index):
            raise AssertionError('slow')

    assert pairs_of(Both([1, 0])) == [(0, 1), (1, 0)]


def test_a_wrapper_that_tells():
    wrapped = ClassBalancedDataset(SeveralOfMmengine(), oversample_thr=0.9)
    assert len(wrapped) > len(LISTS)
    assert pairs_of(wrapped) == [
        (sample, label) for sample, index in enumerate(wrapped.repeat_indices) for label in sorted(set(LISTS[index]))]


@pytest.mark.parametrize('dataset', [range(3), OfMmengine(), Subset(SeveralLabels(LISTS), [0, 1])])
def test_what_tells_nothing(dataset):
    with pytest.raises(DistributionError, match=f'ASampler: {type(dataset).__name__} tells neither one label'):
        label_pairs('ASampler', dataset)


def test_wrong_labels(labelled):
    for read in (single_labels, label_pairs):
        with pytest.raises(DataError, match='ASampler: sample 2 of Labelled has the label -1'):
            read('ASampler', labelled([0, 1, -1]))
        with pytest.raises(DataError, match=r'5 samples, but its labels have shape \(5, 3\)'):
            read('ASampler', labelled(np.zeros((5, 3), dtype=np.int64)))
    with pytest.raises(DataError, match='sample 1 of SeveralLabels has the label -2'):
        label_pairs('ASampler', SeveralLabels([[0], [3, -2]]))
    with pytest.raises(DataError, match='SeveralLabels must give whole numbers, but gives float64'):
        label_pairs('ASampler', SeveralLabels([[0], [3, 0.5]]))


def test_an_error_of_the_data_set_comes_through():
    with pytest.raises(ConfigError, match='no split of that name'):
        label_pairs('ASampler', Unreadable(LISTS))
