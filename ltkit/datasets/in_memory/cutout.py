"""Batched Cutout."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...utils.rng import SampleDraws
from .base import BatchedTransform, batched_twin, on_device


@batched_twin('Cutout')
class BatchedCutout(BatchedTransform):
    """Blanks one square of each image; three draws a sample."""

    def __init__(self, transform: Any) -> None:
        self.size = transform.size
        self.chance = float(transform.prob)
        self.fill = np.atleast_1d(np.round(transform.fill)).astype(np.uint8)

    def __call__(self, images: Tensor, draws: SampleDraws) -> Tensor:
        chosen = draws.uniform() < self.chance
        inside = torch.ones((), dtype=torch.bool, device=images.device)
        for axis in (2, 3):
            length = images.shape[axis]
            first = draws.integers(length) - self.size // 2
            first = np.where(chosen, first, length)  # outside
            places = torch.arange(length, device=images.device) - on_device(first, images)[:, None]
            hit = (places >= 0) & (places < self.size)
            inside = inside & (hit[:, None, :, None] if axis == 2 else hit[:, None, None, :])
        return torch.where(inside, on_device(self.fill, images)[:, None, None], images)
