from __future__ import annotations

import numpy as np
import pytest

from ltkit.datasets import MadeLongTailedDataset, index_list_hash
from ltkit.datasets.columns import Columns
from ltkit.utils.errors import ConfigError, DataError


class Pool(MadeLongTailedDataset):
    """Ten classes of twenty; the rows of the source begin at 1000."""

    official = False

    def load_pool(self) -> Columns:
        labels = np.arange(200) % 10
        return Columns(
            labels, images=np.zeros((200, 1, 1, 1), np.uint8), rows=np.arange(200) + 1000, source='pool'
        )

    def source_mismatch(self) -> str:
        return '' if self.official else 'rows differ'


def test_training_split() -> None:
    data = Pool(imbalance_factor=20)
    assert data.class_distribution.counts.tolist() == [20, 14, 10, 7, 5, 3, 2, 1, 1, 1]
    assert (data.index_list >= 1000).all() and len(data.index_list) == 64
    assert np.array_equal(data.columns.rows, data.index_list)
    assert data.index_list_hash == index_list_hash(data.index_list)
    assert data.get_gt_labels().tolist() == sorted(data.get_gt_labels().tolist()), (
        'class by class, as published'
    )


def test_seed_and_nesting() -> None:
    lists = {seed: set(Pool(imbalance_factor=10, seed=seed).index_list.tolist()) for seed in (0, 1)}
    assert lists[0] != lists[1]
    assert set(Pool(imbalance_factor=20).index_list.tolist()) < lists[0]
    assert Pool(imbalance_factor=10).index_list_hash == Pool(imbalance_factor=10).index_list_hash


def test_test_split_is_whole() -> None:
    data = Pool(split='test', imbalance_factor=20)
    assert len(data) == 200 and data.index_list_hash is None


def test_balanced_and_step() -> None:
    assert Pool(imbalance_factor=1).class_distribution.counts.tolist() == [20] * 10
    assert Pool(imbalance_type=None).class_distribution.counts.tolist() == [20] * 10
    assert (
        Pool(imbalance_factor=4, imbalance_type='step').class_distribution.counts.tolist()
        == [20] * 5 + [5] * 5
    )


def test_canonical() -> None:
    data = Pool(imbalance_factor=10)
    assert not data.is_canonical
    assert data.describe().endswith(
        f'index list {data.index_list_hash}, not the canonical list (rows differ)'
    )
    data.official = True
    assert data.is_canonical and data.describe().endswith(', the canonical list')
    data.seed = 3
    assert not data.is_canonical and 'seed 3' in data.not_canonical


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match='class 8 without a sample'):
        Pool(imbalance_factor=40)
    with pytest.raises(DataError, match='pool row 1003: label 3 is out of range'):
        Pool(metainfo=dict(classes=['a', 'b', 'c']))
    with pytest.raises(DataError, match=r"class 10 \('k'\) has no sample"):
        Pool(imbalance_factor=10, metainfo=dict(classes=list('abcdefghijk')))


@pytest.mark.parametrize(('factor', 'kind', 'total'), [(20, 'exp', 64), (4, 'step', 125), (1, 'exp', 200)])
def test_balanced_reference_has_as_many_images_in_all(factor: float, kind: str, total: int) -> None:
    arguments = dict(imbalance_factor=factor, imbalance_type=kind)
    assert len(Pool(**arguments)) == total
    data = Pool(balanced_reference=True, **arguments)
    counts = data.class_distribution.counts.tolist()
    assert sum(counts) == total and max(counts) - min(counts) <= 1 and counts == sorted(counts)[::-1]
    assert len(set(data.index_list.tolist())) == total
    assert data.index_list_hash == Pool(balanced_reference=True, **arguments).index_list_hash
    assert f'balanced reference of imbalance factor {factor}; index list' in data.describe()
    assert not data.is_canonical


def test_balanced_reference_follows_the_seed_and_leaves_the_test_split() -> None:
    lists = [Pool(imbalance_factor=20, balanced_reference=True, seed=seed).index_list for seed in (0, 1)]
    assert set(lists[0].tolist()) != set(lists[1].tolist())
    data = Pool(split='test', imbalance_factor=20, balanced_reference=True)
    assert len(data) == 200 and data.index_list_hash is None and 'reference' not in data.describe()
