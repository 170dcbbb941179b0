"""Tests of the table of class weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ltkit import ClassDistribution, distribution
from ltkit.class_weights import (
    NORMALISATIONS,
    RULES,
    class_weights,
    effective_number_weights,
    inverse_frequency_weights,
    log_ratio_weights,
)
from ltkit.utils.errors import DistributionError

COUNTS = [500, 101, 100, 20, 19, 5]
EQUATIONS = dict(
    log_ratio=lambda n, beta: 1 - math.log(n / 500),
    inverse=lambda n, beta: 1 / n,
    sqrt_inverse=lambda n, beta: 1 / math.sqrt(n),
    effective_number=lambda n, beta: (1 - beta) / (1 - beta**n))
DIVISORS = {
    'classes': lambda w: sum(w) / len(w),
    'samples': lambda w: sum(n * x for n, x in zip(COUNTS, w)) / sum(COUNTS),
    'max': max,
    'sum': sum,
    None: lambda w: 1.0,
}
PAPERS = dict(log_ratio=None, inverse='classes', sqrt_inverse='classes', effective_number='classes')


@pytest.mark.parametrize('normalise', NORMALISATIONS)
@pytest.mark.parametrize('by', RULES)
@pytest.mark.parametrize('beta', [0.9, 0.9999])
def test_every_rule_and_normalisation(by, beta, normalise):
    raw = [EQUATIONS[by](n, beta) for n in COUNTS]
    expected = [w / DIVISORS[normalise](raw) for w in raw]
    for counts in (COUNTS, np.array(COUNTS), torch.tensor(COUNTS)):
        np.testing.assert_allclose(class_weights(counts, by, beta, normalise), expected, rtol=1e-11)


@pytest.mark.parametrize('by', RULES)
def test_by_default_normalised_as_in_the_paper(by):
    assert class_weights(COUNTS, by).tolist() == class_weights(COUNTS, by, normalise=PAPERS[by]).tolist()


@pytest.mark.parametrize('beta', [0.0, 0.9, 0.9999, 1 - 1e-9])
def test_effective_number(beta):
    expected = [(1 - beta) / (1 - beta**n) for n in COUNTS]
    found = effective_number_weights(COUNTS, beta)
    assert np.allclose(found, np.array(expected) * 6 / sum(expected), rtol=1e-10)
    if beta == 0:
        assert found.tolist() == [1] * 6
    if beta > 0.9999:
        assert np.allclose(found, inverse_frequency_weights(COUNTS), rtol=1e-4)


def test_effective_number_near_the_inverse_frequency_and_of_large_classes():
    """Where 1 - beta^n is a difference of near numbers, and where beta^n is 0."""
    found = effective_number_weights([3, 2, 1], 1 - 1e-12)
    np.testing.assert_allclose(found, inverse_frequency_weights([3, 2, 1]), rtol=1e-3)
    np.testing.assert_allclose(effective_number_weights([10**7, 10**6, 1], 0.9, None), [0.1, 0.1, 1], rtol=1e-12)


@pytest.mark.parametrize('power', [-1, -0.3, 0, 0.25, 0.5, 1, 2])
def test_power_of_the_class_size(power):
    expected = np.array([n**-power for n in map(float, COUNTS)])
    np.testing.assert_allclose(inverse_frequency_weights(COUNTS, power), expected * 6 / expected.sum(), rtol=1e-12)
    np.testing.assert_allclose(inverse_frequency_weights(COUNTS, power, None), expected, rtol=1e-12)
    assert inverse_frequency_weights(COUNTS, power, 'max').max() == 1


def test_log_ratio():
    assert np.allclose(log_ratio_weights(COUNTS), [1 - np.log(n / 500) for n in COUNTS])


@pytest.mark.parametrize('num_classes', [1, 7, 10, 100, 365, 1000])
@pytest.mark.parametrize('size', [0, 1, 37, 100, 4_999])
def test_equal_classes_have_exactly_one(num_classes, size):
    """To the last bit, wherever a class stands in the vector."""
    counts = np.full(num_classes, size)
    for by in RULES:
        for beta in (0.0, 0.5, 0.999, 0.9999):
            for normalise in ('classes', 'samples', 'max'):
                for of in (counts, torch.from_numpy(counts), torch.from_numpy(counts).float()):
                    assert (class_weights(of, by, beta, normalise) == 1).all(), (by, normalise)
    for power in (-1, -0.3, 0.25, 2):
        assert (inverse_frequency_weights(torch.from_numpy(counts), power) == 1).all()


def test_classes_of_one_size_have_one_weight():
    counts = np.array([1000] * 37 + [13] * 12)
    for by in RULES:
        weights = class_weights(torch.from_numpy(counts), by)
        assert len(weights[:37].unique()) == len(weights[37:].unique()) == 1, by


def test_empty_class_counts_as_one_sample():
    for by in RULES:
        assert class_weights([10, 0, 5], by).tolist() == class_weights([10, 1, 5], by).tolist()


@pytest.mark.parametrize('by', RULES)
def test_of_the_kind_of_the_counts(by):
    array, tensor = class_weights(np.array(COUNTS), by), class_weights(torch.tensor(COUNTS), by)
    assert isinstance(array, np.ndarray) and array.dtype == np.float64
    assert tensor.dtype == torch.float64
    assert np.allclose(array, tensor.numpy(), rtol=1e-14)
    assert class_weights(COUNTS, by).tolist() == array.tolist()


def test_the_distribution_gives_the_same():
    d = ClassDistribution(COUNTS)
    for by in RULES:
        assert d.class_weights(by, beta=0.99).tolist() == class_weights(COUNTS, by, 0.99).tolist()
    assert d.effective_number_weights(0.9).tolist() == effective_number_weights(COUNTS, 0.9).tolist()
    assert d.inverse_frequency_weights(0.5).tolist() == inverse_frequency_weights(COUNTS, 0.5).tolist()
    for name in ('effective_number_weights', 'inverse_frequency_weights', 'log_ratio_weights'):
        assert getattr(distribution, name).__module__ == 'ltkit.class_weights'


def test_wrong_arguments():
    for beta in (1.0, -0.1, 2):
        with pytest.raises(DistributionError, match=rf'beta must be in \[0, 1\), but is {beta}'):
            effective_number_weights(COUNTS, beta)
    with pytest.raises(DistributionError, match="by is 'inverted'; did you mean 'inverse'"):
        class_weights(COUNTS, 'inverted')
    with pytest.raises(DistributionError, match="'classes', 'samples', 'max', 'sum', None, but is 'mean'"):
        class_weights(COUNTS, normalise='mean')
