"""Tests of batched Cutout."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.datasets.in_memory import twin_of
from ltkit.utils.rng import SampleDraws, sample_seeds

NUMBER = 6000


def draws() -> SampleDraws:
    return SampleDraws(sample_seeds(0, 0, NUMBER))


@pytest.mark.parametrize('size', [4, 5, 20])
def test_masks_have_the_distribution_of_the_transforms(build, size):
    transform = build(dict(type='Cutout', size=size, fill=0))
    ones = np.ones((12, 10, 1), dtype=np.uint8)
    torch.manual_seed(0)
    theirs = np.stack([transform(dict(img=ones))['img'][..., 0] for _ in range(NUMBER)]) == 0
    ours = twin_of(transform)(torch.ones(NUMBER, 1, 12, 10, dtype=torch.uint8), draws())[:, 0].numpy() == 0
    assert np.abs(ours.mean(0) - theirs.mean(0)).max() < 0.035  # chance of each pixel
    areas = [np.sort(mask.sum((1, 2))) for mask in (ours, theirs)]
    assert abs(areas[0].mean() - areas[1].mean()) < 0.03 * areas[1].mean()
    assert set(map(bytes, np.packbits(ours.reshape(NUMBER, -1), 1))) == \
        set(map(bytes, np.packbits(theirs.reshape(NUMBER, -1), 1)))  # the very masks


def test_chance_and_fill(build):
    images = torch.zeros(NUMBER, 3, 6, 6, dtype=torch.uint8)
    out = twin_of(build(dict(type='Cutout', size=4, fill=(10.6, 20, 30), prob=0.3)))(images, draws())
    changed = out.amax((2, 3))
    assert changed.unique(dim=0).tolist() == [[0, 0, 0], [11, 20, 30]]
    assert abs((changed[:, 0] > 0).double().mean() - 0.3) < 0.02
