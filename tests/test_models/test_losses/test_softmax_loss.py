"""Tests of ltkit.models.losses.softmax_loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ltkit.models.losses import SoftmaxLoss
from ltkit.registry import LOSSES, MODELS


def plain_softmax(logits, labels):
    total = 0
    for z, y in zip(logits, labels):
        total = total - (z[y].exp() / sum(value.exp() for value in z)).log()
    return total / len(logits)


def test_equation(case, same):
    same(lambda z: SoftmaxLoss()(z, case.labels), lambda z: plain_softmax(z, case.labels), case.logits)


def test_is_cross_entropy_to_the_last_bit():
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        logits = torch.randn(37 + 11 * seed, 10, generator=generator)
        labels = torch.randint(10, (len(logits), ), generator=generator)
        for reduction in ('mean', 'sum', 'none'):
            expected = F.cross_entropy(logits, labels, reduction=reduction)
            assert torch.equal(SoftmaxLoss(reduction=reduction)(logits, labels), expected)


def test_soft_labels(case, same):
    same(lambda z: SoftmaxLoss()(z, case.soft), lambda z: -(case.soft * z.log_softmax(1)).sum() / len(z),
         case.logits)


def test_deferred_weights(case, same):
    loss = SoftmaxLoss(class_counts=case.counts, drw=dict(begin=2, beta=0.99))
    loss.set_epoch(1, 4)
    assert torch.equal(loss(case.logits, case.labels), F.cross_entropy(case.logits, case.labels))
    loss.set_epoch(2, 4)
    weights = [(1 - 0.99) / (1 - 0.99**n) for n in case.counts]

    def weighted(logits):
        losses = [weights[y] * plain_softmax(z[None], y[None]) for z, y in zip(logits, case.labels)]
        return sum(losses) / sum(weights[y] for y in case.labels)

    same(lambda z: loss(z, case.labels), weighted, case.logits)


def test_registered():
    assert type(LOSSES.build(dict(type='SoftmaxLoss'))) is SoftmaxLoss
    assert type(MODELS.build(dict(type='SoftmaxLoss', loss_weight=2.0))) is SoftmaxLoss
