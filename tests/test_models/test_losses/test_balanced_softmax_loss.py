"""Tests of ltkit.models.losses.balanced_softmax_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import BalancedSoftmaxLoss


def balanced_softmax(logits, labels, counts):
    total = 0
    for z, y in zip(logits, labels):
        total = total - (counts[y] * z[y].exp() / sum(n * value.exp() for n, value in zip(counts, z))).log()
    return total / len(logits)


def test_equation(case, same):
    loss = BalancedSoftmaxLoss(class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: balanced_softmax(z, case.labels, case.counts), case.logits)


def test_uniform_counts_give_cross_entropy(case, same):
    loss = BalancedSoftmaxLoss(class_counts=[50] * 7)
    same(lambda z: loss(z, case.labels), lambda z: F.cross_entropy(z, case.labels), case.logits, 1e-12)


def test_soft_labels_mix_the_losses_of_two_classes(case, same):
    loss = BalancedSoftmaxLoss(class_counts=case.counts)
    other = case.labels.roll(1)
    target = 0.3 * F.one_hot(case.labels, 7).double() + 0.7 * F.one_hot(other, 7).double()
    same(lambda z: loss(z, target), lambda z: 0.3 * loss(z, case.labels) + 0.7 * loss(z, other), case.logits,
         1e-12)


def test_an_empty_class_counts_as_one_sample(case):
    empty, one = ([500, 0, 30, 4, 9, 1, 60], [500, 1, 30, 4, 9, 1, 60])
    value = BalancedSoftmaxLoss(class_counts=empty)(case.logits, case.labels)
    assert value.item() == pytest.approx(balanced_softmax(case.logits, case.labels, one).item(), abs=1e-12)
    assert torch.isfinite(value)
