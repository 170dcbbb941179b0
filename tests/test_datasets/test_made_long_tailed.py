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


def rows(**arguments: object) -> list[int]:
    return Pool(**arguments).index_list.tolist()


@pytest.mark.parametrize('seed', [0, 5])
@pytest.mark.parametrize('number', [1, 4, 10])
def test_held_out_images_are_balanced_and_never_trained_on(number: int, seed: int) -> None:
    held_out = Pool(split='held_out', held_out=number, seed=seed)
    assert held_out.class_distribution.counts.tolist() == [number] * 10
    assert not held_out.is_train_split and held_out.test_mode
    apart = set(held_out.index_list.tolist())
    for arguments in (dict(imbalance_factor=10), dict(imbalance_factor=2, imbalance_type='step'),
                      dict(imbalance_factor=1), dict(imbalance_factor=10, balanced_reference=True)):
        arguments = dict(arguments, seed=seed)
        train = rows(held_out=number, **arguments)
        assert not apart & set(train)
        assert set(rows(split='held_out', held_out=number, **arguments)) == apart, 'independent of the imbalance'
        if 'balanced_reference' not in arguments:
            assert set(train) <= set(rows(**arguments)), 'a part of the list without held-out images'
    assert set(rows(held_out=number, imbalance_factor=1, seed=seed)) | apart == set(range(1000, 1200))


def test_the_profile_begins_at_what_is_left() -> None:
    counts = Pool(imbalance_factor=10, held_out=5).class_distribution.counts
    assert counts.tolist() == [int(15 * 0.1 ** (label / 9)) for label in range(10)]
    reference = Pool(imbalance_factor=10, held_out=5, balanced_reference=True).class_distribution.counts
    assert reference.sum() == counts.sum() and np.ptp(reference) <= 1


def test_held_out_sets_are_nested_and_follow_the_seed() -> None:
    lists = [set(rows(split='held_out', held_out=number)) for number in (2, 5, 9)]
    assert lists[0] < lists[1] < lists[2]
    assert set(rows(split='held_out', held_out=2, seed=1)) != lists[0]


@pytest.mark.parametrize('arguments, digest', [
    (dict(imbalance_factor=20), '1d3096be6b3d9eaa'),
    (dict(imbalance_factor=4, imbalance_type='step', seed=3), '445d38bcf8f9d5d8'),
    (dict(imbalance_factor=20, balanced_reference=True), '7e217fa693d8dadf'),
])
def test_without_held_out_images_the_lists_are_as_ever(arguments: dict, digest: str) -> None:
    """Hashes from before there were held-out images."""
    for more in ({}, dict(held_out=0)):
        assert Pool(**arguments, **more).index_list_hash == digest


def test_held_out_images_are_told() -> None:
    class Official(Pool):
        official = True

    assert Official(imbalance_factor=10).is_canonical
    train = Official(imbalance_factor=10, held_out=5)
    assert train.describe().endswith('not the canonical list (5 images of each class are held out)')
    held_out = Official(split='held_out', held_out=5, balanced_reference=True)
    assert held_out.describe() == (
        f'Official held_out: {held_out.class_distribution}; index list {held_out.index_list_hash}, '
        'not the canonical list (a held-out part has none)')
    reference = Official(imbalance_factor=10, held_out=5, balanced_reference=True)
    assert 'balanced reference of imbalance factor 10, 5 images of each class held out; index' in reference.describe()


def test_a_test_split_stays_whole_beside_held_out_images() -> None:
    assert len(Pool(split='test', held_out=5)) == 200


def test_bad_held_out() -> None:
    for wrong in (-1, 2.0, '3', True, None):
        with pytest.raises(ConfigError, match=r'Pool: held_out must be a whole number from 0 on.* but is'):
            Pool(held_out=wrong, imbalance_factor=2)
    with pytest.raises(ConfigError, match="split='held_out' has no images with held_out=0"):
        Pool(split='held_out', lazy_init=True)
    for split in ('train', 'held_out'):
        with pytest.raises(DataError, match='held_out=20 leaves no training sample of class 0, which has 20'):
            Pool(split=split, held_out=20)
    with pytest.raises(ConfigError, match=r'largest class has 5.*\(held_out=15 has made each class smaller\)'):
        Pool(imbalance_factor=10, held_out=15)
