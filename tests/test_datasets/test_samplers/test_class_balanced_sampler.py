from __future__ import annotations

import numpy as np

from ltkit.registry import SAMPLERS


def test_classes_are_balanced(long_tail, chi_square):
    sampler = SAMPLERS.build(dict(type='ClassBalancedSampler', dataset=long_tail, seed=0))
    counts = np.zeros(6, dtype=np.int64)
    for epoch in range(200):
        sampler.set_epoch(epoch)
        order = sampler.epoch_indices()
        assert order.shape == (97,)
        counts += np.bincount(long_tail.labels[order], minlength=6)
    assert counts[3] == 0  # the class without a sample
    assert -4 < chi_square(counts, [0.2, 0.2, 0.2, 0, 0.2, 0.2]) < 4


def test_class_draws_are_independent(long_tail):
    """The number of draws of a class in an epoch has the binomial deviation, as defined."""
    sampler = SAMPLERS.build(dict(type='ClassBalancedSampler', dataset=long_tail, seed=0))
    draws = []
    for epoch in range(400):
        sampler.set_epoch(epoch)
        draws.append((long_tail.labels[sampler.epoch_indices()] == 4).sum())
    variance = 97 * 0.2 * 0.8
    assert abs(np.var(draws) / variance - 1) < 4 * np.sqrt(2 / 400)
