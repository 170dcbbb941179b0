"""Tests of ltkit.models.classifiers.linear_classifier."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ltkit.registry import CLASSIFIERS


def test_is_a_linear_layer():
    classifier = CLASSIFIERS.build(dict(type='LinearClassifier', num_classes=3, in_channels=4))
    assert isinstance(classifier, nn.Linear)  # so that initialisers for Linear reach it
    assert classifier.scale == 1.0
    assert (classifier.num_classes, classifier.in_channels) == (3, 4)
    assert sorted(classifier.state_dict()) == ['bias', 'weight']


@pytest.mark.parametrize('bias', [True, False])
def test_equation_and_gradients(bias, features, drawn, same):
    def linear(x, p):
        return torch.stack([torch.stack([sum(a * b for a, b in zip(row, w)) + (p.bias[c] if bias else 0)
                                         for c, w in enumerate(p.weight)]) for row in x])

    classifier = CLASSIFIERS.build(dict(type='LinearClassifier', num_classes=5, in_channels=7, bias=bias))
    same(drawn(classifier), linear, features)


def test_without_bias():
    classifier = CLASSIFIERS.build(dict(type='LinearClassifier', num_classes=3, in_channels=4, bias=False))
    assert classifier.bias is None
    assert classifier(torch.zeros(2, 4)).tolist() == [[0, 0, 0]] * 2
