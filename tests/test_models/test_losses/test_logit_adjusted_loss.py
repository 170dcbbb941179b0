"""Tests of ltkit.models.losses.logit_adjusted_loss."""

from __future__ import annotations

import pytest
import torch.nn.functional as F

from ltkit.config.compatibility import implied_prior_warnings
from ltkit.models.losses import BalancedSoftmaxLoss, LogitAdjustedLoss
from ltkit.utils.errors import ConfigError


def logit_adjusted(logits, labels, counts, tau):
    """Minus the mean logarithm of pi_y^tau e^{z_y} / sum_c pi_c^tau e^{z_c}."""
    powers = [(n / sum(counts))**tau for n in counts]
    total = 0
    for z, y in zip(logits, labels.tolist()):
        total = total - (powers[y] * z[y].exp() / sum(p * value.exp() for p, value in zip(powers, z))).log()
    return total / len(logits)


@pytest.mark.parametrize('tau', [0.5, 1, 1.5])
def test_equation(tau, case, same):
    loss = LogitAdjustedLoss(tau, class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: logit_adjusted(z, case.labels, case.counts, tau), case.logits)
    same(lambda z: loss(z, case.labels), lambda z: logit_adjusted(z.double(), case.labels, case.counts, tau),
         case.logits.float(), 1e-5)


def test_one_is_balanced_softmax_and_none_the_cross_entropy(case):
    for tau, other in ((1, BalancedSoftmaxLoss(class_counts=case.counts)), (0, F.cross_entropy)):
        loss = LogitAdjustedLoss(tau, class_counts=case.counts)
        for target in (case.labels, case.soft):
            assert loss(case.logits, target).item() == other(case.logits, target).item()


def test_uniform_counts_give_cross_entropy(case, same):
    loss = LogitAdjustedLoss(1.7, class_counts=[50] * 7)
    same(lambda z: loss(z, case.labels), lambda z: F.cross_entropy(z, case.labels), case.logits, 1e-12)


def test_soft_labels_mix_the_losses_of_two_classes(case, same):
    loss = LogitAdjustedLoss(0.6, class_counts=case.counts)
    other = case.labels.roll(1)
    target = 0.3 * F.one_hot(case.labels, 7).double() + 0.7 * F.one_hot(other, 7).double()
    same(lambda z: loss(z, target), lambda z: 0.3 * loss(z, case.labels) + 0.7 * loss(z, other), case.logits, 1e-12)


def test_an_empty_class_counts_as_one_sample(case):
    empty, one = ([500, 0, 30, 4, 9, 1, 60], [500, 1, 30, 4, 9, 1, 60])
    value = LogitAdjustedLoss(1.5, class_counts=empty)(case.logits, case.labels)
    assert value.item() == pytest.approx(logit_adjusted(case.logits, case.labels, one, 1.5).item(), abs=1e-12)


@pytest.mark.parametrize('tau', [-0.1, float('nan'), float('inf'), '1', True])
def test_wrong_arguments(tau):
    with pytest.raises(ConfigError, match=f'tau must be a number 0 or more, but is {tau!r}'):
        LogitAdjustedLoss(tau)


@pytest.mark.parametrize(('tau', 'warnings'), [({}, 1), (dict(tau=0.5), 1), (dict(tau=0), 0)])
def test_it_corrects_the_prior_by_tau(tau, warnings):
    config = dict(model=dict(type='ImageRecognizer', head=dict(
        type='LongTailClsHead', loss=dict(type='LogitAdjustedLoss', **tau), posthoc=dict(type='LogitAdjustment'))))
    assert len(implied_prior_warnings(config)) == warnings


def test_repr():
    assert 'tau=0.5, ' in repr(LogitAdjustedLoss(0.5))
