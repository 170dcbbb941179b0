"""Tests of ltkit.models.classifiers.tau_norm_classifier."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.classifiers import LinearClassifier, TauNormClassifier
from ltkit.models.classifiers.tau_norm_classifier import divided_by_norms
from ltkit.models.heads import LongTailClsHead
from ltkit.models.heads.long_tail_cls_head import class_vectors_of
from ltkit.registry import CLASSIFIERS
from ltkit.utils.errors import ConfigError


def tau_normalised(x, weight, tau, bias=None):
    rows = []
    for row in x:
        logits = []
        for c, w in enumerate(weight):
            norm = sum(a * a for a in w)**0.5
            logits.append(sum(a * b for a, b in zip(row, w)) / norm**tau + (0 if bias is None else bias[c]))
        rows.append(torch.stack(logits))
    return torch.stack(rows)


@pytest.mark.parametrize('keep_bias', [False, True])
@pytest.mark.parametrize('tau', [0.0, 0.7, 1.0, 1.9])
def test_equation_and_gradients(tau, keep_bias, features, drawn, same):
    classifier = drawn(CLASSIFIERS.build(dict(
        type='TauNormClassifier', num_classes=5, in_channels=7, tau=tau, keep_bias=keep_bias)))
    same(classifier, lambda x, p: tau_normalised(x, p.weight, tau, p.bias if keep_bias else None), features)


@pytest.mark.parametrize('tau', [0.0, 0.7, 1.0])
def test_class_vectors(tau, features, drawn):
    classifier = drawn(TauNormClassifier(5, 7, tau=tau))
    assert torch.allclose(features @ class_vectors_of(classifier).T, classifier(features), atol=1e-14)


def test_in_float32(features, drawn, same):
    classifier = drawn(TauNormClassifier(5, 7)).float()
    expected = tau_normalised(features, classifier.weight.double(), 1.0)
    assert (classifier(features.float()).double() - expected).abs().max() < 1e-5


def test_tau_0_is_the_linear_layer_without_its_bias(features, drawn):
    linear = drawn(LinearClassifier(5, 7))
    classifier = TauNormClassifier(5, 7, tau=0, keep_bias=True).double()
    classifier.load_state_dict(linear.state_dict())
    assert torch.equal(classifier(features), linear(features))
    classifier.keep_bias = False
    assert torch.allclose(classifier(features), linear(features) - linear.bias, atol=1e-14)


@pytest.mark.parametrize('keep_bias', [False, True])
def test_it_takes_the_weights_of_a_linear_one_and_equals_the_post_hoc_rule(keep_bias, features, drawn):
    arguments = dict(tau=0.7, keep_bias=keep_bias)
    by_rule = drawn(LongTailClsHead(5, 7, posthoc=dict(type='TauNormalization', **arguments)))
    by_classifier = LongTailClsHead(5, 7, classifier=dict(type='TauNormClassifier', **arguments)).double()
    missing = by_classifier.load_state_dict(by_rule.state_dict(), strict=False).missing_keys
    assert not missing
    found, expected = (head.predict_logits((features, )) for head in (by_classifier, by_rule))
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)


def test_at_1_all_weights_are_of_one_length(features, drawn):
    classifier = drawn(TauNormClassifier(5, 7))
    before = classifier(features)
    with torch.no_grad():
        classifier.weight.mul_(torch.tensor([0.1, 1, 10, 3, 7])[:, None])
    assert torch.allclose(classifier(features), before)


def test_the_bias_is_not_trained_where_it_is_left_out():
    names = {(keep, name) for keep in (False, True)
             for name, value in TauNormClassifier(5, 7, keep_bias=keep).named_parameters() if value.requires_grad}
    assert names == {(False, 'weight'), (True, 'weight'), (True, 'bias')}
    assert TauNormClassifier(5, 7, keep_bias=True, bias=False)(torch.ones(1, 7)).shape == (1, 5)
    assert sorted(TauNormClassifier(5, 7, bias=False).state_dict()) == ['weight']


def test_a_class_whose_weight_is_zero(features, drawn):
    classifier = drawn(TauNormClassifier(5, 7, tau=1.5))
    with torch.no_grad():
        classifier.weight[2] = 0
    logits = classifier(features)
    assert logits[:, 2].tolist() == [0] * len(features) and logits.isfinite().all()
    logits.sum().backward()
    assert classifier.weight.grad.isfinite().all()
    assert divided_by_norms(torch.zeros(2), torch.zeros(2, 3), 2.0).tolist() == [0, 0]


def test_defaults_and_wrong_arguments():
    assert 'tau=1.0, keep_bias=False' in repr(TauNormClassifier(5, 7))
    for tau in (-0.1, 'one', None, math.nan, True):
        with pytest.raises(ConfigError, match=f'tau must be a number 0 or more, but is {tau!r}'):
            TauNormClassifier(5, 7, tau=tau)
