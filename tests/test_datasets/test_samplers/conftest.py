"""Data sets of labels alone."""

from __future__ import annotations

import numpy as np
import pytest


class Labelled:
    """A data set that knows its labels; an item is its index."""

    def __init__(self, labels) -> None:
        self.labels = np.asarray(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> int:
        return int(index)

    def get_gt_labels(self) -> np.ndarray:
        return self.labels


@pytest.fixture
def labelled():
    """Makes a data set of labels."""
    return Labelled


@pytest.fixture
def long_tail():
    """Counts 60, 24, 9, 3, 1, in an order without order; class 3 has no sample; 97 samples of 6 classes."""
    labels = np.repeat([4, 0, 5, 1, 2], [60, 24, 9, 3, 1])
    return Labelled(np.random.default_rng(0).permutation(labels))


@pytest.fixture
def chi_square():
    """The statistic of observed counts against probabilities, in standard deviations from its mean."""
    def statistic(observed, probabilities) -> float:
        observed, probabilities = np.asarray(observed), np.asarray(probabilities, dtype=np.float64)
        assert observed[probabilities == 0].sum() == 0
        kept = probabilities > 0
        expected = observed.sum() * probabilities[kept]
        freedom = kept.sum() - 1
        value = ((observed[kept] - expected) ** 2 / expected).sum()
        return (value - freedom) / np.sqrt(2 * freedom)
    return statistic
