from __future__ import annotations

import numpy as np
import pytest

from ltkit.datasets.samplers import ClassAwareSampler
from ltkit.registry import SAMPLERS
from ltkit.utils.errors import ConfigError


@pytest.mark.parametrize('num_samples_cls', [1, 4, 7])
def test_classes_come_in_blocks_and_cycles(long_tail, num_samples_cls):
    size = num_samples_cls * 5 * 12
    sampler = SAMPLERS.build(dict(type='ClassAwareSampler', dataset=long_tail, seed=0, num_samples=size,
                                  num_samples_cls=num_samples_cls))
    labels = long_tail.labels[sampler.epoch_indices()].reshape(12, 5, num_samples_cls)
    assert (labels == labels[..., :1]).all()  # one class a block
    cycles = labels[..., 0]
    assert (np.sort(cycles, 1) == [0, 1, 2, 4, 5]).all()  # each class with samples once a pass
    assert len({tuple(cycle) for cycle in cycles}) > 6  # reshuffled
    assert np.bincount(labels.ravel(), minlength=6).tolist() == [size // 5] * 3 + [0] + [size // 5] * 2


def test_images_come_in_their_own_cycle(long_tail):
    order = ClassAwareSampler(long_tail, seed=0, num_samples=4 * 5 * 30).epoch_indices()
    for label, count in ((4, 60), (0, 24), (5, 9), (1, 3), (2, 1)):
        mine = order[long_tail.labels[order] == label]
        assert len(mine) == 120
        for start in range(0, 120, count):
            part = mine[start:start + count]
            assert len(set(part)) == len(part)


def test_length(long_tail):
    assert ClassAwareSampler(long_tail, seed=0).epoch_indices().shape == (97,)
    official = ClassAwareSampler(long_tail, seed=0, num_samples='official')
    assert official.num_samples == 60 * 5
    assert official.epoch_indices().shape == (300,)
    whole = official.epoch_indices()
    assert long_tail.labels[whole].tolist().count(2) == 60


@pytest.mark.parametrize('num_samples_cls', [0, -2, 1.5, None])
def test_bad_num_samples_cls(long_tail, num_samples_cls):
    with pytest.raises(ConfigError, match='num_samples_cls must be a whole number >= 1'):
        ClassAwareSampler(long_tail, num_samples_cls=num_samples_cls)
    with pytest.raises(ConfigError, match="num_samples must be a whole number >= 1, but is 'offical'"):
        ClassAwareSampler(long_tail, seed=0, num_samples='offical')
