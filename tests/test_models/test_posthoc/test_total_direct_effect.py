"""Tests of ltkit.models.posthoc.total_direct_effect."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from ltkit.models.posthoc import TotalDirectEffect
from ltkit.registry import HEADS
from ltkit.utils.errors import ConfigError


def build(kind='LongTailClsHead', classifier='CausalNormClassifier', **kwargs):
    torch.manual_seed(0)
    head = HEADS.build(dict(type=kind, num_classes=4, in_channels=6, classifier=dict(type=classifier), **kwargs))
    if hasattr(head, 'classifier'):
        head.train().classifier(torch.rand(8, 6))
    return head.double().eval()


@pytest.mark.parametrize('alpha', [0.0, 0.7, 3.0])
def test_equation(alpha):
    """Of the weights, the moving feature and the features, head by head."""
    head = build(posthoc=dict(type='TotalDirectEffect', alpha=alpha))
    features = torch.randn(5, 6, dtype=torch.float64)
    weight, moving = head.classifier.weight.detach().numpy(), head.classifier.moving_feature.numpy()
    expected = np.zeros((5, 4))
    for k in (slice(0, 3), slice(3, 6)):
        m = moving[k] / np.sqrt(moving[k] @ moving[k])
        for i, x in enumerate(features.numpy()[:, k]):
            x = x / np.sqrt(x @ x)
            for c, w in enumerate(weight[:, k]):
                expected[i, c] += 16 / 2 * (x - alpha * (x @ m) * m) @ w / (np.sqrt(w @ w) + 1 / 32)
    assert np.allclose(head.predict_logits((features, )).detach(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize('alpha', [0.0, 0.7, 3.0])
def test_is_the_alpha_of_the_classifier(alpha):
    head = build(posthoc=dict(type='TotalDirectEffect', alpha=alpha))
    other = copy.deepcopy(head)
    other.posthoc = other.build_posthoc([])
    other.classifier.alpha = alpha
    features = torch.randn(5, 6, dtype=torch.float64)
    assert torch.equal(head.predict_logits((features, )), other.predict_logits((features, )))
    assert head.classifier.alpha == 3.0


def test_before_another_rule():
    head = build(posthoc=[dict(type='TotalDirectEffect', alpha=1.0), dict(type='TemperatureScaling', temperature=2.0)])
    features = torch.randn(5, 6, dtype=torch.float64)
    assert torch.equal(head.predict_logits((features, )), head.classifier.logits(features, 1.0) / 2)


@pytest.mark.parametrize('kwargs, message', [
    (dict(classifier='CosineClassifier'), 'LongTailClsHead has a CosineClassifier'),
    (dict(kind='MultiExpertHead', num_experts=2), 'MultiExpertHead has several classifiers'),
    (dict(posthoc=[dict(type='LogitAdjustment'), dict(type='TotalDirectEffect')]), 'must be the first of the'),
])
def test_heads_that_do_not_fit(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        build(**{'posthoc': dict(type='TotalDirectEffect'), **kwargs})


def test_alone_and_wrong_numbers():
    with pytest.raises(ConfigError, match='TotalDirectEffect has no classifier or no features'):
        TotalDirectEffect()(torch.zeros(1, 3))
    with pytest.raises(ConfigError, match='alpha must be a number 0 or more, but is -1'):
        TotalDirectEffect(alpha=-1)
    assert 'alpha=0.5' in repr(TotalDirectEffect(0.5))
