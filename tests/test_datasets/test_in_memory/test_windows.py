"""Tests of taking windows of many images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.datasets.in_memory.windows import gather_on_device, gather_windows


@pytest.mark.parametrize('gather', [gather_windows, gather_on_device])
@pytest.mark.parametrize('flipped', [False, True])
def test_windows_against_slices(gather, flipped):
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (7, 3, 9, 11), dtype=np.uint8))
    indices, tops, lefts = (rng.integers(0, high, 20) for high in (7, 9 - 4 + 1, 11 - 5 + 1))
    flips = rng.integers(0, 2, 20).astype(bool) if flipped else None
    batch = gather(images, indices, tops, lefts, (4, 5), flips)
    assert batch.shape == (20, 3, 4, 5) and batch.dtype == torch.uint8
    for n in range(20):
        want = images[indices[n], :, tops[n]:tops[n] + 4, lefts[n]:lefts[n] + 5]
        assert torch.equal(batch[n], want.flip(-1) if flipped and flips[n] else want)


def test_the_images_are_not_shared():
    images = torch.zeros(2, 1, 3, 3, dtype=torch.uint8)
    zeros = np.zeros(2, dtype=np.int64)
    gather_windows(images, zeros, zeros, zeros, (3, 3)).fill_(9)
    assert not images.any()
