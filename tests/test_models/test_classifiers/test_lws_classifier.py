"""Tests of ltkit.models.classifiers.lws_classifier."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.classifiers import LinearClassifier, LWSClassifier
from ltkit.models.heads.long_tail_cls_head import class_vectors_of
from ltkit.registry import CLASSIFIERS


def scaled(x, p):
    return torch.stack([torch.stack([
        scale * (sum(a * b for a, b in zip(row, w)) + b_c) for w, b_c, scale in zip(p.weight, p.bias, p.scales)])
        for row in x])


def test_equation_and_gradients(features, drawn, same):
    classifier = drawn(CLASSIFIERS.build(dict(type='LWSClassifier', num_classes=5, in_channels=7)))
    same(classifier, scaled, features)


def test_in_float32(features, drawn):
    classifier = drawn(LWSClassifier(5, 7))
    expected = classifier(features)
    assert (classifier.float()(features.float()).double() - expected).abs().max() < 1e-5


@pytest.mark.parametrize('bias', [True, False])
def test_it_starts_as_the_linear_layer_whose_weights_it_takes(bias, features, drawn):
    linear = drawn(LinearClassifier(5, 7, bias=bias))
    classifier = LWSClassifier(5, 7, bias=bias).double()
    state = classifier.load_state_dict(linear.state_dict(), strict=False)
    assert state.missing_keys == ['scales'] and not state.unexpected_keys
    assert torch.equal(classifier(features), linear(features))


def test_class_vectors(features, drawn):
    classifier = drawn(LWSClassifier(5, 7, bias=False))
    assert torch.allclose(features @ class_vectors_of(classifier).T, classifier(features), atol=1e-14)


def test_the_scales_alone_can_be_trained(features, drawn):
    classifier = drawn(LWSClassifier(5, 7))
    classifier.weight.requires_grad_(False)
    classifier.bias.requires_grad_(False)
    classifier(features).sum().backward()
    expected = features @ classifier.weight.T + classifier.bias
    assert torch.allclose(classifier.scales.grad, expected.sum(0))
    assert classifier.weight.grad is None and classifier.bias.grad is None


def test_classes_may_be_permuted(features, drawn):
    classifier, order = drawn(LWSClassifier(5, 7)), torch.tensor([3, 0, 4, 1, 2])
    other = LWSClassifier(5, 7).double()
    other.load_state_dict({name: value[order] for name, value in classifier.state_dict().items()})
    assert torch.allclose(other(features), classifier(features)[:, order], atol=1e-14)
