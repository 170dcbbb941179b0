"""Tests of ltkit.models.meta_learned."""

from __future__ import annotations

import copy

from torch import nn

from ltkit.models.meta_learned import meta_learned, meta_learned_parameters


def test_marked_parts_are_found_and_left_alone():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(meta_learned(nn.Linear(1, 1)), nn.Linear(1, 1)))
    assert set(meta_learned_parameters(model)) == {'1.0.weight', '1.0.bias'}
    assert [name for name, value in model.named_parameters() if not value.requires_grad] == ['1.0.weight', '1.0.bias']
    assert set(meta_learned_parameters(copy.deepcopy(model))) == {'1.0.weight', '1.0.bias'}
    assert set(meta_learned_parameters(meta_learned(nn.Linear(1, 1)))) == {'weight', 'bias'}
