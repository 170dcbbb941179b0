"""Tests of ltkit.models.classifiers.linear_classifier."""

from __future__ import annotations

import torch
from torch import nn

from ltkit.registry import CLASSIFIERS


def test_is_a_linear_layer():
    classifier = CLASSIFIERS.build(dict(type='LinearClassifier', num_classes=3, in_channels=4))
    features = torch.randn(5, 4)
    assert isinstance(classifier, nn.Linear)  # so that initialisers for Linear reach it
    assert torch.allclose(classifier(features), features @ classifier.weight.T + classifier.bias)
    assert classifier.scale == 1.0
    assert (classifier.num_classes, classifier.in_channels) == (3, 4)
    assert sorted(classifier.state_dict()) == ['bias', 'weight']


def test_without_bias():
    classifier = CLASSIFIERS.build(dict(type='LinearClassifier', num_classes=3, in_channels=4, bias=False))
    assert classifier.bias is None
    assert classifier(torch.zeros(2, 4)).tolist() == [[0, 0, 0]] * 2
