"""Tests of ltkit.models.classifiers.linear_based."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ltkit.models.classifiers import DisAlignClassifier, LinearClassifier, LWSClassifier, TauNormClassifier
from ltkit.models.classifiers.linear_based import LinearBased


@pytest.mark.parametrize('bias', [True, False])
def test_the_same_seed_makes_the_weights_of_a_linear_classifier(bias, features):
    made = []
    for kind in (LinearBased, LinearClassifier):
        torch.manual_seed(3)
        made.append(kind(5, 7, bias=bias).double())
    based, linear = made
    assert based.state_dict().keys() == linear.state_dict().keys()
    assert all(torch.equal(value, linear.state_dict()[name]) for name, value in based.state_dict().items())
    assert torch.equal(based.linear(features), linear(features))


@pytest.mark.parametrize('kind', [TauNormClassifier, LWSClassifier, DisAlignClassifier])
def test_it_does_not_pass_for_a_linear_layer(kind):
    """Its logits are not those of its weights, as code that finds ``nn.Linear`` would take them to be."""
    classifier = kind(5, 7)
    assert not isinstance(classifier, nn.Linear)
    assert classifier.scale == 1 and 'num_classes=5, in_channels=7, bias=True' in repr(classifier)
