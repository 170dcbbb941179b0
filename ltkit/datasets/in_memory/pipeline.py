"""From a pipeline of per-sample transforms to one of batched ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...utils.errors import ConfigError
from ...utils.rng import SampleDraws
from ..transforms import LoadImage, PackInputs
from .base import twin_of
from .geometry import BatchedHorizontalFlip, BatchedRandomCrop
from .windows import gather_windows


class BatchedPipeline:
    """All images of a data set on a device, and the batched form of its pipeline.

    A crop that comes first takes its windows from images that are padded here,
    once, and a flip right after it is part of the same copy.

    Args:
        transforms (Sequence[Callable]): Per-sample transforms, ``PackInputs`` last.
        images (ndarray): uint8, shape ``(M, H, W, C)``.
        device (torch.device or str): Where images are kept and changed.

    Raises:
        ConfigError: A transform without a batched form, or no ``PackInputs`` at the end.
    """

    def __init__(self, transforms: Sequence[Any], images: np.ndarray, device: torch.device | str) -> None:
        if not transforms or not isinstance(transforms[-1], PackInputs):
            raise ConfigError("in_memory=True: the pipeline must end with dict(type='PackInputs')")
        self.meta_keys = transforms[-1].meta_keys
        self.twins = [twin_of(transform) for transform in transforms[:-1] if not isinstance(transform, LoadImage)]
        self.crop = self._leading(BatchedRandomCrop)
        self.flip = self._leading(BatchedHorizontalFlip) if self.crop is not None else None
        stored = torch.from_numpy(np.array(images.transpose(0, 3, 1, 2), order='C'))
        self.images = (stored if self.crop is None else self.crop.padded(stored)).contiguous().to(device)

    def _leading(self, kind: type) -> Any:
        """Take the first twin out when it is of a kind whose flip is the horizontal one."""
        if self.twins and isinstance(self.twins[0], kind) and getattr(self.twins[0], 'axis', 3) == 3:
            return self.twins.pop(0)
        return None

    def __call__(self, indices: np.ndarray, seeds: np.ndarray) -> Tensor:
        """Make a batch.

        Args:
            indices (ndarray): Samples of the data set, int64, shape ``(N,)``.
            seeds (ndarray): Seed of each, uint64, shape ``(N,)``.

        Returns:
            Tensor: uint8, shape ``(N, C, H, W)``, on the device.
        """
        draws = SampleDraws(seeds)
        if self.crop is None:
            tops = lefts = np.zeros(len(indices), dtype=np.int64)
            size = tuple(self.images.shape[2:])
        else:
            tops, lefts = self.crop.windows(self.images.shape, draws)
            size = self.crop.size
        flips = None if self.flip is None else self.flip.flips(draws)
        batch = gather_windows(self.images, indices, tops, lefts, size, flips)
        for twin in self.twins:
            batch = twin(batch, draws)
        return batch
