"""Tests of ltkit.models.posthoc.tau_normalization."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from ltkit.models.posthoc import TauNormalization
from ltkit.registry import HEADS
from ltkit.utils.errors import ConfigError


def build(kind='LongTailClsHead', classifier='LinearClassifier', **kwargs):
    head = HEADS.build(dict(type=kind, num_classes=4, in_channels=6, classifier=dict(type=classifier), **kwargs))
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_()
    return head.double().eval()


@pytest.mark.parametrize('tau', [0.0, 0.7, 1.0, 2.0])
@pytest.mark.parametrize('keep_bias', [False, True])
def test_equation_from_features_and_weights(tau, keep_bias):
    head = build(posthoc=dict(type='TauNormalization', tau=tau, keep_bias=keep_bias))
    features = torch.randn(5, 6, dtype=torch.float64)
    weight, bias = head.classifier.weight.tolist(), head.classifier.bias.tolist()
    expected = [[sum(a * b for a, b in zip(row, w)) / math.sqrt(sum(a * a for a in w)) ** tau + keep_bias * b
                 for w, b in zip(weight, bias)] for row in features.tolist()]
    found = head.predict_logits((features, ))
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-12)


def test_weights_of_one_length_at_one_and_no_change_of_the_classifier():
    head = build(posthoc=dict(type='TauNormalization'))
    before = copy.deepcopy(head.state_dict())
    direction = head.classifier.weight.detach() / head.classifier.weight.detach().norm(dim=1, keepdim=True)
    features = torch.randn(3, 6, dtype=torch.float64)
    assert torch.allclose(head.predict_logits((features, )), features @ direction.T)
    assert all(torch.equal(value, before[key]) for key, value in head.state_dict().items())


def test_the_checkpoint_of_a_plain_head_loads_and_a_copy_has_its_own_classifier():
    plain, head = build(), build(posthoc=dict(type='TauNormalization'))
    head.load_state_dict(plain.state_dict(), strict=False)
    assert {key for key in head.state_dict() if key.startswith('posthoc')} <= {'posthoc.0.class_counts'}
    other = copy.deepcopy(head)
    with torch.no_grad():
        other.classifier.weight.mul_(torch.arange(1, 5)[:, None])
        other.classifier.bias.zero_()
        head.classifier.bias.zero_()
    features = torch.randn(3, 6, dtype=torch.float64)
    assert torch.allclose(other.predict_logits((features, )), head.predict_logits((features, )))  # of its own weights


def test_without_bias_and_in_half_precision():
    head = HEADS.build(dict(type='LongTailClsHead', num_classes=4, in_channels=6, posthoc=dict(type='TauNormalization'),
                            classifier=dict(type='LinearClassifier', bias=False)))
    logits = torch.randn(3, 4)
    expected = logits / head.classifier.weight.norm(dim=1)
    assert torch.allclose(head.posthoc[0](logits), expected)
    assert head.posthoc[0](logits.half()).isfinite().all()


@pytest.mark.parametrize('kwargs, message', [
    (dict(classifier='CosineClassifier'), 'LongTailClsHead has a CosineClassifier'),
    (dict(kind='MultiExpertHead', num_experts=2), 'MultiExpertHead has several classifiers'),
    (dict(posthoc=[dict(type='LogitAdjustment'), dict(type='TauNormalization')]), 'must be the first of the post-hoc')])
def test_heads_that_do_not_fit(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        build(**{'posthoc': dict(type='TauNormalization'), **kwargs})


def test_alone_and_wrong_numbers():
    with pytest.raises(ConfigError, match='TauNormalization has no classifier; put it into the posthoc of a head'):
        TauNormalization()(torch.zeros(1, 3))
    for tau in (-1, 'a', None, float('nan')):
        with pytest.raises(ConfigError, match='tau must be a number 0 or more, but is '):
            TauNormalization(tau=tau)
    assert 'tau=0.5, keep_bias=True' in repr(TauNormalization(0.5, keep_bias=True))
