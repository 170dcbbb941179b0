"""The form of a batched transform, and which per-sample transforms have one."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...registry import TRANSFORMS
from ...utils.errors import ConfigError
from ...utils.rng import SampleDraws

TWINS: dict[str, type[BatchedTransform]] = {}


class BatchedTransform:
    """Changes a batch of images on their device as a per-sample transform changes each.

    A twin is made of the transform that the pipeline of the data set holds, and
    draws the same distribution; all randomness comes from ``draws``, the same
    number of draws for each sample, so that a sample is changed alike in any
    batch. A twin of your own is registered with :func:`batched_twin`.

    Args:
        transform (Callable): The per-sample transform.

    Raises:
        ConfigError: It has a setting that the twin does not have.
    """

    name = ''  # registered name of the per-sample transform, set by batched_twin

    def __init__(self, transform: Any) -> None:
        pass

    def __call__(self, images: Tensor, draws: SampleDraws) -> Tensor:
        """Change a batch.

        Args:
            images (Tensor): uint8, shape ``(N, C, H, W)``; may be written to.
            draws (SampleDraws): Of the N samples.

        Returns:
            Tensor: uint8, shape ``(N, C, H', W')``, on the same device.
        """
        raise NotImplementedError(f'{type(self).__name__} must define __call__(images, draws)')

    def refuse(self, setting: str, known: str) -> ConfigError:
        """The error for a setting that the twin does not have."""
        return ConfigError(f'in_memory=True: {self.name} with {setting} has no batched form ({known} has '
                           'one); set in_memory=False or change the pipeline')


def batched_twin(*names: str) -> Callable[[type[BatchedTransform]], type[BatchedTransform]]:
    """Register a class as the batched form of the transforms that are registered as ``names``."""

    def register(twin: type[BatchedTransform]) -> type[BatchedTransform]:
        TWINS.update({name: type(twin.__name__, (twin,), dict(name=name, __module__=twin.__module__))
                      for name in names})
        return twin

    return register


def twin_of(transform: Any) -> BatchedTransform:
    """The batched form of a transform.

    Raises:
        ConfigError: There is none.
    """
    for module in ('auto_augment', 'cutout', 'geometry'):
        import_module(f'{__package__}.{module}')
    for name, twin in TWINS.items():
        if type(transform).__name__ == name.split('/')[-1] and TRANSFORMS.get(name) is type(transform):
            return twin(transform)
    kind = type(transform)
    name = f'torchvision/{kind.__name__}' if hasattr(kind, 'wrapped') else kind.__name__
    raise ConfigError(f"in_memory=True: the transform '{name}' has no batched form; those with one are "
                      f"{', '.join(sorted(TWINS))}; set in_memory=False, or register one with "
                      'ltkit.datasets.in_memory.batched_twin')


def on_device(array: np.ndarray, like: Tensor) -> Tensor:
    """A tensor of ``array`` where ``like`` is, without waiting for the device."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(like.device, non_blocking=True)


def rows_where(chosen: np.ndarray, like: Tensor) -> Tensor:
    """The positions of the true entries, int64, where ``like`` is."""
    return on_device(np.flatnonzero(chosen), like)
