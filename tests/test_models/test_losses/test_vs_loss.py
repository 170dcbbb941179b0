"""Tests of ltkit.models.losses.vs_loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import BalancedSoftmaxLoss, LogitAdjustedLoss, VSLoss
from ltkit.utils.errors import ConfigError


def vector_scaling(logits, labels, counts, gamma, tau):
    """Minus the mean logarithm of the softmax of Delta_c z_c + tau log(pi_c)."""
    factors = [(n / max(counts))**gamma for n in counts]
    offsets = [tau * math.log(n / sum(counts)) for n in counts]
    total = 0
    for z, y in zip(logits, labels.tolist()):
        scaled = [factor * value + offset for factor, value, offset in zip(factors, z, offsets)]
        total = total - scaled[y] + sum(value.exp() for value in scaled).log()
    return total / len(logits)


@pytest.mark.parametrize(('gamma', 'tau'), [(0.3, 1), (0.05, 0.75), (0.2, 1.2), (0, 1), (0.2, 0), (1, 0.5)])
def test_equation(gamma, tau, case, same):
    loss = VSLoss(gamma, tau, class_counts=case.counts)

    def expected(logits):
        return vector_scaling(logits.double(), case.labels, case.counts, gamma, tau)
    same(lambda z: loss(z, case.labels), expected, case.logits)
    same(lambda z: loss(z, case.labels), expected, case.logits.float(), 1e-5)


@pytest.mark.parametrize('tau', [0, 0.5, 1])
def test_without_gamma_it_is_the_logit_adjusted_loss(tau, case):
    loss, other = VSLoss(0, tau, class_counts=case.counts), LogitAdjustedLoss(tau, class_counts=case.counts)
    for target in (case.labels, case.soft):
        assert loss(case.logits, target).item() == other(case.logits, target).item()
    if tau == 1:
        balanced = BalancedSoftmaxLoss(class_counts=case.counts)
        assert loss(case.logits, case.labels).item() == balanced(case.logits, case.labels).item()


@pytest.mark.parametrize('gamma', [0.1, 0.4])
def test_without_tau_it_is_cdt(gamma, case, same):
    """CDT: the logit of class c is divided by a_c = (n_max / n_c)^gamma."""
    temperatures = torch.tensor([(max(case.counts) / n)**gamma for n in case.counts], dtype=torch.float64)
    loss = VSLoss(gamma, 0, class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: F.cross_entropy(z / temperatures, case.labels), case.logits)


def test_neither_is_the_cross_entropy(case):
    loss = VSLoss(0, 0, class_counts=case.counts)
    assert loss(case.logits, case.labels).item() == F.cross_entropy(case.logits, case.labels).item()


def test_uniform_counts_give_cross_entropy(case, same):
    loss = VSLoss(0.5, 1.5, class_counts=[50] * 7)
    same(lambda z: loss(z, case.labels), lambda z: F.cross_entropy(z, case.labels), case.logits, 1e-12)


def test_the_largest_class_keeps_its_scale_and_the_others_shrink():
    loss = VSLoss(0.5, 0, class_counts=[25, 100, 1])
    scaled = loss.adjust_logits(torch.ones(1, 3, dtype=torch.float64), torch.zeros(1).long())
    assert scaled.tolist() == [pytest.approx([0.5, 1.0, 0.1], abs=1e-15)]


def test_an_empty_class_counts_as_one_sample(case):
    empty, one = ([500, 0, 30, 4, 9, 1, 60], [500, 1, 30, 4, 9, 1, 60])
    value = VSLoss(class_counts=empty)(case.logits, case.labels)
    assert value.item() == pytest.approx(vector_scaling(case.logits, case.labels, one, 0.3, 1).item(), abs=1e-12)


@pytest.mark.parametrize('arguments', [dict(gamma=-1), dict(tau=-1)])
def test_wrong_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ConfigError, match=f'{name} must be a number 0 or more, but is -1'):
        VSLoss(**arguments)


def test_repr():
    assert 'gamma=0.3, tau=1, ' in repr(VSLoss())
