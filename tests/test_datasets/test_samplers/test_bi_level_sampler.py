"""Tests of ltkit.datasets.samplers.bi_level_sampler."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ltkit.datasets.samplers import BiLevelSampler, GlobalBatchSampler
from ltkit.datasets.samplers.bi_level_sampler import subsets
from ltkit.registry import SAMPLERS
from ltkit.utils.errors import ConfigError


@pytest.mark.parametrize(('classes', 'images'), [(3, 2), (5, 4), (2, 7)])
def test_a_block_has_different_classes_and_as_many_images_of_each(long_tail, classes, images):
    sampler = SAMPLERS.build(dict(type='BiLevelSampler', dataset=long_tail, seed=0, classes_per_batch=classes,
                                  images_per_class=images, num_samples=40 * classes * images))
    labels = long_tail.labels[sampler.epoch_indices()].reshape(40, classes * images)
    for block in labels:
        counts = np.bincount(block, minlength=6)
        assert sorted(counts) == [0] * (6 - classes) + [images] * classes
        assert counts[3] == 0  # no sample
    assert len({tuple(np.unique(block)) for block in labels}) == (1 if classes == 5 else 10)


def test_a_global_batch_is_a_block(long_tail):
    sampler = BiLevelSampler(long_tail, seed=0, classes_per_batch=3, images_per_class=4, num_samples=120)
    shares = [list(GlobalBatchSampler(sampler, 12, world_size=2, rank=rank)) for rank in range(2)]
    for first, second in zip(*shares):
        counts = np.bincount(long_tail.labels[[*first, *second]])
        assert sorted(counts[counts > 0]) == [4, 4, 4]


def test_more_classes_than_there_are(long_tail):
    sampler = BiLevelSampler(long_tail, seed=0, classes_per_batch=12, images_per_class=1, num_samples=120)
    for block in long_tail.labels[sampler.epoch_indices()].reshape(10, 12):
        assert sorted(np.bincount(block, minlength=6)) == [0, 2, 2, 2, 3, 3]


def test_images_come_in_the_cycle_of_their_class(long_tail):
    order = BiLevelSampler(long_tail, seed=0, classes_per_batch=5, images_per_class=3, num_samples=600).epoch_indices()
    for label, count in ((4, 60), (0, 24), (5, 9), (1, 3), (2, 1)):
        mine = order[long_tail.labels[order] == label]
        assert len(mine) == 120
        for start in range(0, 120, count):
            part = mine[start:start + count]
            assert len(set(part)) == len(part)


def test_classes_are_even(long_tail, chi_square):
    for replacement in (False, True):
        labels = [long_tail.labels[BiLevelSampler(long_tail, seed=seed, classes_per_batch=2, images_per_class=1,
                                                  num_samples=3000, replacement=replacement).epoch_indices()]
                  for seed in range(3)]
        counts = np.bincount(np.concatenate(labels), minlength=6)[[0, 1, 2, 4, 5]]
        assert chi_square(counts, np.full(5, 0.2)) < 5


def test_with_replacement_a_class_may_come_twice_in_a_block(long_tail):
    sampler = BiLevelSampler(long_tail, seed=0, classes_per_batch=3, images_per_class=1, num_samples=300,
                             replacement=True)
    blocks = long_tail.labels[sampler.epoch_indices()].reshape(100, 3)
    same = sum(len(set(block)) < 3 for block in blocks)
    assert 30 < same < 75  # 52 are expected: 1 - 4/5 x 3/5


def test_each_subset_is_as_likely_as_another(chi_square):
    drawn = subsets(np.random.default_rng(0), 20000, 5, 3)
    assert drawn.shape == (20000, 3) and (np.diff(drawn, axis=1) > 0).all()
    codes = drawn @ [25, 5, 1]
    counts = [np.count_nonzero(codes == 25 * a + 5 * b + c) for a, b, c in itertools.combinations(range(5), 3)]
    assert sum(counts) == 20000
    assert chi_square(np.array(counts), np.full(10, 0.1)) < 5
    assert subsets(np.random.default_rng(0), 4, 5, 0).shape == (4, 0)
    assert (subsets(np.random.default_rng(0), 2, 3, 3) == [0, 1, 2]).all()


def test_length(long_tail):
    assert BiLevelSampler(long_tail, seed=0).epoch_indices().shape == (97, )  # the last block is cut


@pytest.mark.parametrize('name', ['classes_per_batch', 'images_per_class'])
@pytest.mark.parametrize('value', [0, 2.0, True])
def test_wrong_arguments(long_tail, name, value):
    with pytest.raises(ConfigError, match=f'BiLevelSampler: {name} must be a whole number >= 1, but is {value}'):
        BiLevelSampler(long_tail, seed=0, **{name: value})
