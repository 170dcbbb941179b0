"""Tests of ltkit.models.necks.modulated_attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.models.necks import ModulatedAttention
from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def reference(x, neck):
    """Place by place, of one map (d, H, W)."""
    def linear(layer, column):
        return layer.weight.detach().numpy().reshape(layer.out_channels, -1) @ column + (
            0 if layer.bias is None else layer.bias.detach().numpy())

    channels, height, width = x.shape
    columns = [x[:, i, j] for i in range(height) for j in range(width)]
    spatial = softmax(neck.spatial.weight.detach().numpy() @ x.reshape(-1) + neck.spatial.bias.detach().numpy())
    result = np.empty((channels, height * width))
    for p, column in enumerate(columns):
        attention = softmax(np.array([linear(neck.theta, column) @ linear(neck.phi, other) for other in columns]))
        gathered = sum(share * linear(neck.g, other) for share, other in zip(attention, columns))
        result[:, p] = column + spatial[p] * linear(neck.mask, gathered)
    return result.reshape(x.shape)


def test_equation():
    torch.manual_seed(0)
    neck = ModulatedAttention(6, size=(2, 3), reduction=3).double()
    torch.nn.init.normal_(neck.mask.weight)
    maps = torch.randn(4, 6, 2, 3, dtype=torch.float64)
    first = torch.randn(4, 2, 8, 8)
    passed, found = neck((first, maps))
    assert passed is first
    expected = np.stack([reference(x, neck) for x in maps.numpy()])
    assert np.allclose(found.detach(), expected, rtol=0, atol=1e-10)


def test_begins_as_the_identity_and_learns():
    neck = ModulatedAttention(4, size=2)
    maps = torch.randn(3, 4, 2, 2)
    found, = neck((maps, ))
    assert torch.equal(found, maps)
    found.square().sum().backward()
    assert neck.mask.weight.grad.abs().sum() > 0


def test_before_the_pooling():
    model = MODELS.build(dict(
        type='ImageRecognizer', backbone=dict(type='ResNet8'), head=dict(
            type='LongTailClsHead', num_classes=10, in_channels=64),
        neck=[dict(type='ModulatedAttention', in_channels=64, size=8), dict(type='GlobalAveragePooling')]))
    images = torch.randn(2, 3, 32, 32)
    plain = model(images)
    torch.nn.init.normal_(model.neck[0].mask.weight)
    assert plain.shape == (2, 10) and not torch.equal(model(images), plain)


@pytest.mark.parametrize('kwargs, message', [
    (dict(in_channels=0), 'in_channels of ModulatedAttention must be a whole number above 0, but is 0'),
    (dict(in_channels=6, reduction=4), 'reduction of ModulatedAttention is 4, into which the 6 channels cannot'),
    (dict(in_channels=6, size=0), 'size of ModulatedAttention must be a whole number above 0, but is 0'),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        ModulatedAttention(**kwargs)


def test_another_map():
    with pytest.raises(ConfigError, match=r'set in_channels=4 and size=\(8, 8\)'):
        ModulatedAttention(4, size=7)((torch.zeros(1, 4, 8, 8), ))
