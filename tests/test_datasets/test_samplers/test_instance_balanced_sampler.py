from __future__ import annotations

import numpy as np
import pytest

from ltkit.datasets.samplers import InstanceBalancedSampler
from ltkit.registry import SAMPLERS


def test_each_sample_once_an_epoch():
    sampler = SAMPLERS.build(dict(type='InstanceBalancedSampler', dataset=range(100), seed=0))
    orders = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        orders.append(sampler.epoch_indices())
        assert orders[-1].dtype == np.int64
        assert sorted(orders[-1]) == list(range(100))
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize('num_samples', [1, 30, 100, 250])
def test_num_samples(num_samples):
    order = InstanceBalancedSampler(range(100), seed=0, num_samples=num_samples).epoch_indices()
    assert len(order) == num_samples
    for start in range(0, num_samples, 100):
        part = order[start:start + 100]
        assert len(set(part)) == len(part)
    if num_samples > 200:
        assert (order[:100] != order[100:200]).any()
    whole = InstanceBalancedSampler(range(100), seed=0).epoch_indices()
    assert (order[:100] == whole[:num_samples]).all()


def test_without_shuffle():
    sampler = InstanceBalancedSampler(range(4), seed=0, num_samples=6, shuffle=False)
    assert sampler.epoch_indices().tolist() == [0, 1, 2, 3, 0, 1]
