"""Tests of parts that training leaves as they are."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ltkit.engine.freezing import freeze, frozen_statistics
from ltkit.utils.errors import ConfigError


def _model() -> nn.Module:
    model = nn.Module()
    layer = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    model.backbone = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), layer)
    model.head = nn.Linear(3, 2)
    return model


def test_parameters_and_statistics_are_frozen_apart():
    model = _model()
    names = freeze(model, dict(parameters=['backbone'], statistics='backbone.2'))
    assert names == [name for name, _ in model.named_parameters() if name.startswith('backbone')] + [
        'backbone.2.1.running_mean', 'backbone.2.1.running_var']
    assert [name for name, parameter in model.named_parameters() if parameter.requires_grad] == ['head.weight',
                                                                                                  'head.bias']
    assert frozen_statistics(model) == [model.backbone[2][1]]


@pytest.mark.parametrize('frozen', [None, {}])
def test_nothing_to_freeze(frozen):
    model = _model()
    assert freeze(model, frozen) == [] and frozen_statistics(model) == []
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_frozen_backbone_has_no_graph():
    model = _model()
    freeze(model, dict(parameters='backbone'))
    assert not model.backbone(torch.rand(4, 2)).requires_grad


@pytest.mark.parametrize('frozen,words', [
    (dict(parameters=['backbon']), r"frozen.parameters: 'backbon' matches no parameter of the model.*backbone"),
    (dict(statistics=['head']), "frozen.statistics: 'head' matches no batch normalisation of the model; the model has "
     'backbone'),
    (dict(parameter=['backbone']), r"frozen has no key 'parameter'.*parameters"),
    (dict(parameters='*'), 'leaves nothing to train'),
    (['backbone'], r'frozen must be dict\(parameters='),
    (dict(parameters=3), 'frozen.parameters must be the name of a part'),
])
def test_bad_settings_change_nothing(frozen, words):
    model = _model()
    with pytest.raises(ConfigError, match=words) as error:
        freeze(model, frozen)
    assert '\n' not in str(error.value)
    assert all(parameter.requires_grad for parameter in model.parameters()) and not frozen_statistics(model)
