"""Tests of ltkit.models.necks.linear_neck."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.models.necks import LinearNeck
from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


def test_equation():
    torch.manual_seed(0)
    neck = LinearNeck(4, 3).double()
    first, x = torch.randn(2, 7), torch.randn(5, 4, dtype=torch.float64)
    passed, found = neck((first, x))
    weight, bias = neck.linear.weight.detach().numpy(), neck.linear.bias.detach().numpy()
    expected = [[max(0.0, weight[j] @ row + bias[j]) for j in range(3)] for row in x.numpy()]
    assert passed is first and np.allclose(found.detach(), expected, rtol=0, atol=1e-10)


def test_after_the_pooling():
    model = MODELS.build(dict(
        type='ImageRecognizer', backbone=dict(type='ResNet8'), head=dict(
            type='LongTailClsHead', num_classes=10, in_channels=24),
        neck=[dict(type='GlobalAveragePooling'), dict(type='LinearNeck', in_channels=64, out_channels=24)]))
    assert model(torch.randn(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize('kwargs, message', [
    (dict(in_channels=0, out_channels=2), 'in_channels of LinearNeck must be a whole number above 0, but is 0'),
    (dict(in_channels=2, out_channels=1.5), r'out_channels of LinearNeck must be a whole number above 0, but is 1\.5'),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        LinearNeck(**kwargs)


@pytest.mark.parametrize('shape', [(1, 4, 2, 2), (1, 5)])
def test_other_features(shape):
    with pytest.raises(ConfigError, match=r'LinearNeck takes features \(N, 4\), but gets .* GlobalAveragePooling'):
        LinearNeck(4, 2)((torch.zeros(shape), ))
