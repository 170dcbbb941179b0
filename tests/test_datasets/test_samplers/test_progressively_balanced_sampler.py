from __future__ import annotations

import numpy as np
import pytest

from ltkit.datasets.samplers import ProgressivelyBalancedSampler
from ltkit.registry import SAMPLERS
from ltkit.utils.errors import ConfigError

COUNTS = np.array([24, 3, 1, 0, 60, 9])


@pytest.mark.parametrize('epoch, t', [(0, 0), (1, 1 / 89), (44, 44 / 89), (89, 1), (90, 1), (1000, 1)])
def test_official_interpolation(long_tail, epoch, t):
    """Epochs of 90 take linspace(0, 1, 90), clipped."""
    sampler = SAMPLERS.build(dict(
        type='ProgressivelyBalancedSampler', dataset=long_tail, seed=0, max_epochs=90))
    sampler.set_epoch(epoch)
    expected = [(1 - t) * n / 97 + t / 5 if n else 0 for n in COUNTS]
    np.testing.assert_allclose(sampler.class_probabilities(), expected, rtol=1e-12)


@pytest.mark.parametrize('epoch', [0, 2, 4])
def test_frequencies(long_tail, chi_square, epoch):
    counts = np.zeros(6, dtype=np.int64)
    for seed in range(200):
        sampler = ProgressivelyBalancedSampler(long_tail, seed=seed, max_epochs=5)
        sampler.set_epoch(epoch)
        counts += np.bincount(long_tail.labels[sampler.epoch_indices()], minlength=6)
    t = epoch / 4
    assert -4 < chi_square(counts, (1 - t) * COUNTS / 97 + t * (COUNTS > 0) / 5) < 4


def test_who_knows_the_number_of_epochs(long_tail):
    sampler = ProgressivelyBalancedSampler(long_tail, seed=0)
    with pytest.raises(ConfigError, match='give max_epochs='):
        list(sampler)
    sampler.set_max_epochs(3)
    sampler.set_epoch(2)
    assert sampler.class_probabilities()[0] == pytest.approx(0.2)
    given = ProgressivelyBalancedSampler(long_tail, seed=0, max_epochs=5)
    given.set_max_epochs(3)
    given.set_epoch(2)
    assert given.class_probabilities()[0] == pytest.approx((24 / 97 + 0.2) / 2)


def test_a_single_epoch_is_instance_balanced(long_tail):
    sampler = ProgressivelyBalancedSampler(long_tail, seed=0, max_epochs=1)
    np.testing.assert_allclose(sampler.class_probabilities(), COUNTS / 97, rtol=1e-12)


@pytest.mark.parametrize('max_epochs', [0, -1, 2.5, True, 'many'])
def test_bad_max_epochs(long_tail, max_epochs):
    with pytest.raises(ConfigError, match='max_epochs must be a whole number >= 1'):
        ProgressivelyBalancedSampler(long_tail, seed=0, max_epochs=max_epochs)
    with pytest.raises(ConfigError, match='max_epochs must be a whole number >= 1'):
        ProgressivelyBalancedSampler(long_tail, seed=0).set_max_epochs(max_epochs)
