from __future__ import annotations

import numpy as np

from ltkit.registry import SAMPLERS


def test_square_roots(long_tail, chi_square):
    sampler = SAMPLERS.build(dict(type='SquareRootSampler', dataset=long_tail, seed=0))
    roots = np.sqrt([24, 3, 1, 0, 60, 9])
    counts = np.zeros(6, dtype=np.int64)
    for epoch in range(200):
        sampler.set_epoch(epoch)
        counts += np.bincount(long_tail.labels[sampler.epoch_indices()], minlength=6)
    assert -4 < chi_square(counts, roots / roots.sum()) < 4
    np.testing.assert_allclose(sampler.class_probabilities(), roots / roots.sum(), rtol=1e-14)


def test_like_the_official_weights_of_images(long_tail):
    """The official code gives each image the weight n_c ** -1/2; summed over the class that is this p_c."""
    sampler = SAMPLERS.build(dict(type='SquareRootSampler', dataset=long_tail, seed=0))
    weights = np.zeros(6)
    for label in long_tail.labels:
        weights[label] += (long_tail.labels == label).sum() ** -0.5
    np.testing.assert_allclose(sampler.class_probabilities(), weights / weights.sum(), rtol=1e-12)
