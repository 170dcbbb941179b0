"""Tests of ltkit.models.losses.class_balanced_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import ClassBalancedLoss, SoftmaxLoss
from ltkit.testing import parametrize_with_checks
from ltkit.utils.errors import ConfigError

BASES = ['softmax', 'sigmoid', 'focal', 'softmax_bce']
every_base = pytest.mark.parametrize('base', BASES)
NO_SOFTMAX = dict(uniform_counts='binary losses are no softmax cross entropy')


def effective_number_weights(counts, beta):
    """Inverse effective numbers that sum to the number of classes; an empty class counts as one sample."""
    inverse = [(1 - beta) / (1 - beta**max(n, 1)) for n in counts]
    return [len(counts) * value / sum(inverse) for value in inverse]


def base_loss(base, z, y, gamma):
    """The loss of one sample before its weight."""
    if base == 'softmax':
        return -(z[y].exp() / z.exp().sum()).log()
    if base == 'softmax_bce':
        q = [z[c].exp() / z.exp().sum() for c in range(len(z))]
        return -sum((q[c] if c == y else 1 - q[c]).log() for c in range(len(z))) / len(z)
    total = 0
    for c in range(len(z)):
        p = 1 / (1 + (-z[c]).exp())
        p = p if c == y else 1 - p
        total = total - (1 - p)**(gamma if base == 'focal' else 0) * p.log()
    return total


def class_balanced(logits, labels, counts, beta, base, gamma=1.0):
    weights = effective_number_weights(counts, beta)
    return sum(weights[y] * base_loss(base, z, y, gamma) for z, y in zip(logits, labels.tolist())) / len(labels)


@every_base
@pytest.mark.parametrize('beta', [0.9, 0.9999])
def test_equation(base, beta, case, same):
    loss = ClassBalancedLoss(beta, base, class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: class_balanced(z, case.labels, case.counts, beta, base),
         case.logits)


@pytest.mark.parametrize('gamma', [0.5, 1, 2])
def test_gamma_of_the_focal_base(gamma, case, same):
    loss = ClassBalancedLoss(0.999, 'focal', gamma, class_counts=case.counts)
    same(lambda z: loss(z, case.labels),
         lambda z: class_balanced(z, case.labels, case.counts, 0.999, 'focal', gamma), case.logits)


@every_base
def test_float32(base, case, same):
    loss = ClassBalancedLoss(base=base, class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: class_balanced(z.double(), case.labels, case.counts, 0.9999, base),
         case.logits.float(), 1e-5)


def test_published_weights_of_cifar100(case):
    counts = [int(500 * 0.01**(c / 99)) for c in range(100)]
    weights = ClassBalancedLoss(class_counts=counts).class_weight(torch.zeros(1, 100, dtype=torch.float64))
    assert (weights[0].item(), weights[-1].item()) == pytest.approx((0.0449, 4.378), abs=5e-4)
    assert weights.sum().item() == pytest.approx(100, abs=1e-9)


def test_the_divisor_is_the_batch_and_not_the_sum_of_the_weights(case):
    """A batch of one class keeps the weight of its class."""
    labels = torch.full_like(case.labels, 3)
    weight = effective_number_weights(case.counts, 0.9999)[3]
    value = ClassBalancedLoss(class_counts=case.counts)(case.logits, labels)
    assert value.item() == pytest.approx(weight * F.cross_entropy(case.logits, labels).item(), 1e-12)


@pytest.mark.parametrize('kwargs', [dict(beta=0), dict(counts=[30] * 7)], ids=['beta', 'counts'])
def test_no_correction_gives_the_base(kwargs, case, same):
    counts, beta = kwargs.get('counts', case.counts), kwargs.get('beta', 0.9999)
    one_hot = F.one_hot(case.labels, 7).double()
    losses = {base: ClassBalancedLoss(beta, base, 0, class_counts=counts) for base in BASES}
    same(lambda z: losses['softmax'](z, case.labels), lambda z: F.cross_entropy(z, case.labels), case.logits, 1e-12)
    for base in ('sigmoid', 'focal'):  # gamma is 0
        same(lambda z, loss=losses[base]: loss(z, case.labels),
             lambda z: F.binary_cross_entropy_with_logits(z, one_hot, reduction='sum') / 12, case.logits, 1e-12)
    same(lambda z: losses['softmax_bce'](z, case.labels),
         lambda z: F.binary_cross_entropy(z.softmax(dim=1), one_hot), case.logits, 1e-12)


@every_base
def test_soft_labels_mix_the_losses_of_the_classes(base, case, same):
    loss = ClassBalancedLoss(0.999, base, class_counts=case.counts)
    weights = effective_number_weights(case.counts, 0.999)

    def mixed(logits):
        total = 0
        for z, t in zip(logits, case.soft):
            total = total + sum(t[c] * weights[c] * base_loss(base, z, c, 1.0) for c in range(7))
        return total / len(logits)

    one_hot = F.one_hot(case.labels, 7).double()
    same(lambda z: loss(z, case.soft), mixed, case.logits)
    same(lambda z: loss(z, one_hot), lambda z: loss(z, case.labels), case.logits, 1e-12)


@every_base
def test_deferred_weights_multiply(base, case):
    loss = ClassBalancedLoss(0.99, base, class_counts=case.counts, drw=dict(begin=0, beta=0.9))
    first, second = (effective_number_weights(case.counts, beta) for beta in (0.99, 0.9))
    expected = sum(first[y] * second[y] * base_loss(base, z, y, 1.0)
                   for z, y in zip(case.logits, case.labels.tolist())) / 12
    assert loss(case.logits, case.labels).item() == pytest.approx(expected.item(), 1e-12)


@every_base
@pytest.mark.parametrize('gamma', [0.5, 2])
def test_very_sure_logits(base, gamma, case):
    """The value is that of the limit, and the gradient has no NaN."""
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    value = ClassBalancedLoss(0, base, gamma, class_counts=[9, 1])(logits, torch.tensor([0, 0]))
    value.backward()
    assert value.item() == pytest.approx(1e4, rel=1e-6)  # of the second sample
    assert logits.grad.isfinite().all() and logits.grad[1, 0] < 0


def test_the_weighted_mean_is_another_loss(case):
    """What divides by the sum of the weights is deferred re-weighting from the first epoch on."""
    by_weights = SoftmaxLoss(class_counts=case.counts, drw=dict(begin=0))(case.logits, case.labels)
    weights = torch.tensor(effective_number_weights(case.counts, 0.9999), dtype=torch.float64)[case.labels]
    by_batch = ClassBalancedLoss(class_counts=case.counts)(case.logits, case.labels)
    assert by_batch.item() == pytest.approx(by_weights.item() * weights.mean().item(), 1e-12)


@parametrize_with_checks('loss', dict(type='ClassBalancedLoss', base='sigmoid'),
                         dict(type='ClassBalancedLoss', base='focal', gamma=0.5),
                         dict(type='ClassBalancedLoss', base='softmax_bce'), skip=NO_SOFTMAX)
def test_conformance_of_the_binary_bases(check):
    check()


def test_wrong_arguments():
    with pytest.raises(ConfigError, match="base must be one of softmax, sigmoid, focal, softmax_bce, but is 'sigmod'"):
        ClassBalancedLoss(base='sigmod')
    with pytest.raises(ConfigError, match=r'beta must be a number in \[0, 1\), but is 1'):
        ClassBalancedLoss(beta=1)
    with pytest.raises(ConfigError, match='gamma must be a number 0 or more, but is -1'):
        ClassBalancedLoss(base='focal', gamma=-1)


def test_repr():
    assert "beta=0.9999, base='softmax'" in repr(ClassBalancedLoss())
    assert "base='focal', gamma=2.0" in repr(ClassBalancedLoss(base='focal', gamma=2))
