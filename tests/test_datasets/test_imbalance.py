from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

from ltkit.datasets.imbalance import (
    balanced_counts,
    choose_held_out,
    choose_long_tailed,
    imbalance_counts,
    index_list_hash,
)
from ltkit.utils.errors import ConfigError, DataError


@pytest.mark.parametrize(
    'num_max, classes, factor, kind, total, last',
    [
        (500, 100, 200, 'exp', 9502, 2),
        (500, 100, 100, 'exp', 10847, 5),
        (500, 100, 50, 'exp', 12608, 10),
        (500, 100, 10, 'exp', 19573, 50),
        (500, 100, 100, 'step', 25250, 5),
        (5000, 10, 100, 'exp', 12406, 50),
        (5000, 10, 50, 'exp', 13996, 100),
        (5000, 10, 10, 'exp', 20431, 500),
        (500, 100, 1, 'exp', 50000, 500),
        (500, 100, 100, None, 50000, 500),
    ],
)
def test_published_profiles(
    num_max: int, classes: int, factor: float, kind: str, total: int, last: int
) -> None:
    counts = imbalance_counts(num_max, classes, factor, kind)
    assert (counts.sum(), counts[0], counts[-1]) == (total, num_max, last)
    assert counts.dtype == np.int64 and (np.diff(counts) <= 0).all()


def test_digits_profile_and_small_cases() -> None:
    assert imbalance_counts(100, 10, 50).tolist() == [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
    assert imbalance_counts(10, 1, 5).tolist() == [10]
    assert imbalance_counts(10, 3, 5, 'step').tolist() == [10, 2, 2]


@pytest.mark.parametrize('factor', [0.01, 0, -1, float('nan'), float('inf'), 'x', True])
def test_wrong_factor(factor: object) -> None:
    with pytest.raises(ConfigError, match='imbalance_factor'):
        imbalance_counts(500, 100, factor)


def test_messages() -> None:
    with pytest.raises(ConfigError, match='100 may be meant'):
        imbalance_counts(500, 100, 0.01)
    with pytest.raises(ConfigError, match='class 4 without a sample'):
        imbalance_counts(10, 5, 11)
    with pytest.raises(ConfigError, match='imbalance_type'):
        imbalance_counts(10, 5, 2, 'linear')
    with pytest.raises(ConfigError, match='num_max is 0'):
        imbalance_counts(0, 5, 2)


def _as_in_the_paper(labels: np.ndarray, counts: np.ndarray, seed: int) -> list[int]:
    """Global generator seeded once, each class shuffled in turn, the head taken."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(seed)  # noqa: NPY002
        chosen: list[int] = []
        for label, count in zip(np.unique(labels), counts):
            indices = np.where(labels == label)[0]
            np.random.shuffle(indices)  # noqa: NPY002
            chosen += indices[:count].tolist()
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return chosen


@pytest.mark.parametrize('seed', [0, 3])
def test_choice_is_that_of_the_ldam_protocol(seed: int) -> None:
    labels = np.random.default_rng(1).integers(0, 10, 900)
    counts = imbalance_counts(int(np.bincount(labels).min()), 10, 20)
    chosen = choose_long_tailed(labels, counts, seed)
    assert chosen.tolist() == _as_in_the_paper(labels, counts, seed)
    assert np.bincount(labels[chosen]).tolist() == counts.tolist()


def test_subsets_are_nested() -> None:
    labels = np.repeat(np.arange(10), 100)
    previous: set[int] = set(range(1000))
    for factor in (1, 2, 10, 50, 100):
        chosen = set(choose_long_tailed(labels, imbalance_counts(100, 10, factor)).tolist())
        assert chosen <= previous
        previous = chosen
    other = set(choose_long_tailed(labels, imbalance_counts(100, 10, 100), seed=1).tolist())
    assert other != previous


def test_too_few_samples() -> None:
    with pytest.raises(DataError, match=r"class 1 \('cat'\) has 1 samples.*needs 2"):
        choose_long_tailed(np.array([0, 0, 1]), [2, 2], names=['dog', 'cat'])


@pytest.mark.parametrize('seed', [0, 3])
def test_held_out_samples_are_the_end_of_each_shuffled_class(seed: int) -> None:
    labels = np.random.default_rng(1).integers(0, 10, 900)
    sizes = np.bincount(labels)
    shuffled = np.split(choose_long_tailed(labels, sizes, seed), np.cumsum(sizes)[:-1])
    for number in (1, 7):
        found = choose_held_out(labels, number, 10, seed)
        assert found.tolist() == np.concatenate([indices[-number:] for indices in shuffled]).tolist()
        assert np.bincount(labels[found]).tolist() == [number] * 10
        kept = choose_long_tailed(labels, sizes - number, seed, held_out=number)
        assert sorted([*kept, *found]) == list(range(900))


def test_too_few_samples_to_hold_out() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    assert sorted(choose_held_out(labels, 1, 2).tolist())[1] > 2
    with pytest.raises(DataError, match=r"held_out=2 leaves no training sample of class 1 \('cat'\), which has 2"):
        choose_held_out(labels, 2, 2, names=['dog', 'cat'])
    with pytest.raises(DataError, match='class 1 has 2 samples, but the imbalance profile needs 2, and 1 are held out'):
        choose_long_tailed(labels, [2, 2], held_out=1)


def test_hash() -> None:
    indices = [5, 0, 70000]
    expected = hashlib.sha256(struct.pack('<3q', *indices)).hexdigest()[:16]
    assert index_list_hash(indices) == index_list_hash(np.array(indices, np.int32)) == expected
    assert index_list_hash(indices[::-1]) != expected


def test_balanced_counts() -> None:
    assert balanced_counts(276, 10).tolist() == [28] * 6 + [27] * 4
    assert balanced_counts(30, 3).tolist() == [10] * 3
    assert balanced_counts(10847, 100).sum() == 10847 and balanced_counts(10847, 100).dtype == np.int64


@pytest.mark.parametrize('seed', [-1, 2**32, 1.5, None, True])
def test_a_seed_out_of_range_is_refused(seed) -> None:
    with pytest.raises(ConfigError, match='seed must be a whole number from 0 to 4294967295'):
        choose_long_tailed(np.zeros(3, np.int64), [1], seed)
