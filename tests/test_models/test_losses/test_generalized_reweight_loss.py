"""Tests of ltkit.models.losses.generalized_reweight_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.config.compatibility import implied_prior_warnings
from ltkit.models.losses import GeneralizedReweightLoss
from ltkit.registry import LOSSES
from ltkit.utils.errors import ConfigError


def weights_of(counts, rho):
    raw = [(max(n, 1) / sum(counts))**-rho for n in counts]
    return [len(counts) * w / sum(raw) for w in raw]


def reweighted(logits, labels, weights):
    total, divisor = 0, 0
    for z, y in zip(logits, labels):
        total = total - weights[y] * (z[y].exp() / sum(value.exp() for value in z)).log()
        divisor += weights[y]
    return total / divisor


@pytest.mark.parametrize('rho', [0.3, 1.0, 1.2])
def test_equation(rho, case, same):
    loss = LOSSES.build(dict(type='GeneralizedReweightLoss', rho=rho, class_counts=case.counts))
    weights = weights_of(case.counts, rho)
    same(lambda z: loss(z, case.labels), lambda z: reweighted(z, case.labels, weights), case.logits)
    found = loss.class_weight(case.logits)
    assert found.tolist() == pytest.approx(weights, rel=1e-12)
    assert found.sum().item() == pytest.approx(len(case.counts))


def test_the_default_is_that_of_imagenet_lt(case):
    assert GeneralizedReweightLoss(class_counts=case.counts).rho == 1.2
    assert 'rho=1.2' in repr(GeneralizedReweightLoss())


def test_soft_labels(case, same):
    weights = torch.tensor(weights_of(case.counts, 1.2), dtype=torch.float64)
    loss = GeneralizedReweightLoss(class_counts=case.counts)
    weighted = case.soft * weights
    same(lambda z: loss(z, case.soft), lambda z: -(weighted * z.log_softmax(1)).sum() / weighted.sum(), case.logits)


def test_rho_0_is_the_cross_entropy(case, same):
    loss = GeneralizedReweightLoss(rho=0, class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: F.cross_entropy(z, case.labels), case.logits, 1e-15)


def test_an_empty_class_counts_as_one_sample():
    loss = GeneralizedReweightLoss(class_counts=[10, 0, 5])
    same_counts = GeneralizedReweightLoss(class_counts=[10, 1, 5])
    z = torch.zeros(1, 3)
    assert torch.equal(loss.class_weight(z), same_counts.class_weight(z))


def test_it_adds_up_with_a_sampler_that_corrects_the_prior():
    config = dict(model=dict(head=dict(loss=dict(type='GeneralizedReweightLoss', rho=0.5))),
                  train_dataloader=dict(sampler=dict(type='ClassBalancedSampler')))
    warning, = implied_prior_warnings(config)
    assert 'GeneralizedReweightLoss (model.head.loss, n^-0.5)' in warning


def test_wrong_arguments():
    for rho in (-1, None, 'one'):
        with pytest.raises(ConfigError, match=f'rho must be a number 0 or more, but is {rho!r}'):
            GeneralizedReweightLoss(rho=rho)
