"""Tests of ltkit.models.necks.gap."""

from __future__ import annotations

import pytest
import torch

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


def test_mean_over_the_pixels_of_each_map():
    maps = (torch.rand(2, 3, 4, 5), torch.rand(2, 6, 1, 1))
    first, second = MODELS.build(dict(type='GlobalAveragePooling'))(maps)
    for n in range(2):
        for c in range(3):
            assert first[n, c].item() == pytest.approx(sum(maps[0][n, c].flatten().tolist()) / 20, abs=1e-6)
    assert torch.equal(second, maps[1][:, :, 0, 0])


def test_features_without_pixels_are_refused():
    with pytest.raises(ConfigError, match='leave the neck out'):
        MODELS.build(dict(type='GlobalAveragePooling'))((torch.rand(2, 3), ))
