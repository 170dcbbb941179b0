"""Tests of ltkit.models.losses.softmax_focal_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import SoftmaxFocalLoss
from ltkit.testing import parametrize_with_checks
from ltkit.utils.errors import ConfigError


def focal(z, y, gamma, detach=False):
    """The loss of one sample."""
    p = z[y].exp() / z.exp().sum()
    modulator = (1 - p)**gamma
    return -(modulator.detach() if detach else modulator) * p.log()


def mean_focal(logits, labels, gamma, detach=False):
    return sum(focal(z, y, gamma, detach) for z, y in zip(logits, labels.tolist())) / len(labels)


@pytest.mark.parametrize('gamma', [0.5, 1, 2, 3])
@pytest.mark.parametrize('detach', [False, True])
def test_equation(gamma, detach, case, same):
    loss = SoftmaxFocalLoss(gamma, detach)
    same(lambda z: loss(z, case.labels), lambda z: mean_focal(z, case.labels, gamma, detach), case.logits)
    same(lambda z: loss(z, case.labels), lambda z: mean_focal(z.double(), case.labels, gamma, detach),
         case.logits.float(), 1e-5)


def test_the_default_is_the_paper_s(case):
    value = SoftmaxFocalLoss()(case.logits, case.labels)
    assert value.item() == pytest.approx(mean_focal(case.logits, case.labels, 2).item(), 1e-12)


def test_detaching_changes_the_gradient_alone(case):
    values, gradients = [], []
    for detach in (False, True):
        logits = case.logits.clone().requires_grad_()
        values.append(SoftmaxFocalLoss(3, detach)(logits, case.labels))
        gradients += torch.autograd.grad(values[-1], logits)
    assert values[0].item() == values[1].item()
    assert (gradients[0] - gradients[1]).abs().max() > 1e-3


@pytest.mark.parametrize('detach', [False, True])
def test_gamma_0_gives_cross_entropy(detach, case, same):
    loss = SoftmaxFocalLoss(0, detach)
    for target in (case.labels, case.soft):
        same(lambda z, t=target: loss(z, t), lambda z, t=target: F.cross_entropy(z, t), case.logits, 1e-12)


def test_soft_labels_mix_the_losses_of_the_classes(case, same):
    loss = SoftmaxFocalLoss(1.5)

    def mixed(logits):
        return sum(t[c] * focal(z, c, 1.5) for z, t in zip(logits, case.soft) for c in range(7)) / len(logits)

    one_hot = F.one_hot(case.labels, 7).double()
    same(lambda z: loss(z, case.soft), mixed, case.logits)
    same(lambda z: loss(z, one_hot), lambda z: loss(z, case.labels), case.logits, 1e-12)


@pytest.mark.parametrize('soft', [False, True])
def test_deferred_weights_stay_out_of_the_modulator(soft, case):
    loss = SoftmaxFocalLoss(1, class_counts=case.counts, drw=dict(begin=0, beta=0.99))
    weights = [(1 - 0.99) / (1 - 0.99**n) for n in case.counts]
    target = case.soft if soft else F.one_hot(case.labels, 7).double()
    total, divisor = 0, 0
    for z, t in zip(case.logits, target):
        for c in range(7):
            total, divisor = total + t[c] * weights[c] * focal(z, c, 1), divisor + t[c] * weights[c]
    value = loss(case.logits, case.soft if soft else case.labels)
    assert value.item() == pytest.approx((total / divisor).item(), 1e-12)


@pytest.mark.parametrize('gamma', [0.5, 2])
def test_a_sample_that_is_certain(gamma):
    """(1 - p)^0.5 has no finite derivative at p = 1, the loss has: 0."""
    logits = torch.tensor([[1e4, -1e4, 0], [60, 0, 0], [-1e4, 1e4, 0]], requires_grad=True)
    losses = SoftmaxFocalLoss(gamma, reduction='none')(logits, torch.zeros(3, dtype=torch.int64))
    losses.sum().backward()
    assert losses.tolist() == pytest.approx([0, 0, 2e4])
    assert logits.grad[0].tolist() == [0, 0, 0]
    assert logits.grad[2].tolist() == pytest.approx([-1, 1, 0])


@parametrize_with_checks('loss', dict(type='SoftmaxFocalLoss', gamma=0),
                         skip=dict(two_processes='as with the default'))
def test_conformance_of_gamma_0(check):
    check()


def test_wrong_arguments():
    with pytest.raises(ConfigError, match='gamma must be a number 0 or more, but is -1'):
        SoftmaxFocalLoss(-1)


def test_repr():
    assert 'gamma=3.0, detach_modulator=True' in repr(SoftmaxFocalLoss(3, True))
