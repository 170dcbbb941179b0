"""Tests of ltkit.models.losses.weighted_softmax_loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import WeightedSoftmaxLoss
from ltkit.utils.errors import ConfigError, DistributionError

RULES = {
    'log_ratio': lambda n, largest: 1 - math.log(n / largest),
    'inverse': lambda n, largest: 1 / n,
    'sqrt_inverse': lambda n, largest: n**-0.5,
    'effective_number': lambda n, largest: (1 - 0.99) / (1 - 0.99**n),
}


def weighted_softmax(logits, labels, weights):
    total, divisor = 0, 0
    for z, y in zip(logits, labels):
        total = total - weights[y] * (z[y].exp() / sum(value.exp() for value in z)).log()
        divisor += weights[y]
    return total / divisor


@pytest.mark.parametrize('weighting', RULES)
def test_equation(weighting, case, same):
    weights = [RULES[weighting](n, max(case.counts)) for n in case.counts]
    loss = WeightedSoftmaxLoss(weighting=weighting, beta=0.99, class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: weighted_softmax(z, case.labels, weights), case.logits)


def test_the_default_is_the_survey_s(case):
    loss = WeightedSoftmaxLoss(class_counts=[1280, 5])
    weights = loss.class_weight(torch.zeros(1, 2, dtype=torch.float64))
    assert weights.tolist() == pytest.approx([1, 6.545177444479562], abs=1e-12)


def test_explicit_weights_need_no_counts(case, same):
    weights = [0.5, 2, 1, 0, 3, 1, 1]
    loss = WeightedSoftmaxLoss(class_weights=weights)
    same(lambda z: loss(z, case.labels), lambda z: weighted_softmax(z, case.labels, weights), case.logits)
    assert 'class_weights' not in loss.state_dict()


@pytest.mark.parametrize('weighting', RULES)
def test_uniform_counts_give_cross_entropy(weighting, case, same):
    loss = WeightedSoftmaxLoss(weighting, class_counts=[50] * 7)
    same(lambda z: loss(z, case.labels), lambda z: F.cross_entropy(z, case.labels), case.logits, 1e-12)


def test_soft_labels(case, same):
    weights = torch.tensor([1 - math.log(n / 500) for n in case.counts], dtype=torch.float64)
    loss = WeightedSoftmaxLoss(class_counts=case.counts)
    weighted = case.soft * weights
    same(lambda z: loss(z, case.soft), lambda z: -(weighted * z.log_softmax(1)).sum() / weighted.sum(),
         case.logits)
    one_hot = F.one_hot(case.labels, 7).double()
    same(lambda z: loss(z, one_hot), lambda z: loss(z, case.labels), case.logits, 1e-12)


def test_deferred_weights_multiply(case):
    loss = WeightedSoftmaxLoss(class_counts=case.counts, drw=dict(begin=0, beta=0.99))
    product = [RULES['log_ratio'](n, max(case.counts)) * RULES['effective_number'](n, 0) for n in case.counts]
    expected = weighted_softmax(case.logits, case.labels, product)
    assert loss(case.logits, case.labels).item() == pytest.approx(expected.item(), abs=1e-12)


def test_wrong_arguments(case):
    with pytest.raises(ConfigError, match="'invers'; did you mean 'inverse'"):
        WeightedSoftmaxLoss('invers')
    with pytest.raises(ConfigError, match=r'beta must be a number in \[0, 1\), but is 1'):
        WeightedSoftmaxLoss('effective_number', beta=1)
    with pytest.raises(ConfigError, match='class_weights must be finite'):
        WeightedSoftmaxLoss(class_weights=[1, -1])
    with pytest.raises(DistributionError, match='holds 3 weights, but the scores are of 7'):
        WeightedSoftmaxLoss(class_weights=[1, 1, 1])(case.logits, case.labels)


def test_repr():
    assert "weighting='inverse'" in repr(WeightedSoftmaxLoss('inverse'))
    assert 'class_weights=<2>' in repr(WeightedSoftmaxLoss(class_weights=[1, 2]))
