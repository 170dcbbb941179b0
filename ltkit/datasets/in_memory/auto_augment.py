"""Batched AutoAugment."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...utils.rng import SampleDraws
from .base import BatchedTransform, batched_twin, on_device, rows_where
from .colour import COLOUR_OPS
from .geometry import take_pixels

ENHANCEMENTS = ('Brightness', 'Color', 'Contrast', 'Sharpness')  # of strength 1 + magnitude
STAGES = 2  # operations of a sub-policy


@batched_twin('CIFARAutoAugment', 'torchvision/AutoAugment')
class BatchedAutoAugment(BatchedTransform):
    """One sub-policy of two operations for each image; five draws a sample.

    Policies and strengths are read from torchvision's class. Each operation is
    done once a batch, on the images that drew it; the geometric ones are tables of
    pixels that torchvision fills by moving an image of pixel numbers.
    """

    def __init__(self, transform: Any) -> None:
        from torchvision.transforms import AutoAugment, AutoAugmentPolicy
        given = getattr(transform, 'apply', None)  # of torchvision/AutoAugment
        self.auto_augment = AutoAugment(AutoAugmentPolicy.CIFAR10) if given is None else given
        self.fill = transform.fill if given is None else given.fill
        if self.auto_augment.interpolation.value != 'nearest':
            raise self.refuse(f"interpolation='{self.auto_augment.interpolation.value}'",
                              "interpolation='nearest'")
        self._size: tuple[int, int] | None = None

    def _prepare(self, height: int, width: int) -> None:
        """Make the tables of one image size: names, chances and strengths ``(P, 2)``, pixels ``(K, H W)``."""
        policies, space = self.auto_augment.policies, self.auto_augment._augmentation_space(10, (height, width))
        shape = (len(policies), STAGES)
        self.names = np.empty(shape, dtype=object)
        self.chances, self.magnitudes = np.zeros(shape), np.zeros(shape)
        self.signed = np.zeros(shape, dtype=bool)
        self.moves = np.zeros((*shape, 2), dtype=np.int64)  # row of the pixel table, by sign; 0 moves nothing
        pixels = [np.arange(height * width)]
        for policy, operations in enumerate(policies):
            for stage, (name, chance, level) in enumerate(operations):
                magnitudes, signed = space[name]
                magnitude = 0.0 if level is None else float(magnitudes[level])
                place = policy, stage
                self.names[place], self.chances[place] = name, chance
                self.magnitudes[place], self.signed[place] = magnitude, signed
                if name not in COLOUR_OPS:
                    for sign, value in enumerate((-magnitude, magnitude)):
                        self.moves[(*place, sign)] = len(pixels)
                        pixels.append(moved_pixels(name, value, height, width))
        self.pixels = torch.from_numpy(np.stack(pixels))
        self._size = height, width

    def draw(self, draws: SampleDraws) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sub-policies ``(N,)``; for each stage which do something ``(N, 2)``, and signs, 0 or 1 ``(N, 2)``."""
        policies = draws.integers(len(self.auto_augment.policies))
        active = [draws.uniform() <= self.chances[policies, stage] for stage in range(STAGES)]
        signs = [draws.integers(2) for _ in range(STAGES)]
        return policies, np.stack(active, 1), np.stack(signs, 1)

    def __call__(self, images: Tensor, draws: SampleDraws) -> Tensor:
        if self._size != tuple(images.shape[2:]):
            self._prepare(*images.shape[2:])
        self.pixels = self.pixels.to(images.device)
        policies, active, signs = self.draw(draws)
        for stage in range(STAGES):
            names = np.where(active[:, stage], self.names[policies, stage], '')
            moves = np.where(active[:, stage], self.moves[policies, stage, signs[:, stage]], 0)
            negative = self.signed[policies, stage] & (signs[:, stage] == 0)
            strength = self.magnitudes[policies, stage] * np.where(negative, -1.0, 1.0)
            images = self._apply(images, names, moves, strength)
        return images

    def _apply(self, images: Tensor, names: np.ndarray, moves: np.ndarray, strength: np.ndarray) -> Tensor:
        moved = moves > 0
        if moved.any():
            rows = rows_where(moved, images)
            sources = self.pixels[on_device(moves[moved], images)]
            images[rows] = take_pixels(images[rows], sources, self.fill)
        for name, operation in COLOUR_OPS.items():
            chosen = names == name
            if chosen.any():
                rows = rows_where(chosen, images)
                values = strength[chosen] + 1 if name in ENHANCEMENTS else strength[chosen]
                images[rows] = operation(images[rows], on_device(values, images))
        return images


def moved_pixels(name: str, magnitude: float, height: int, width: int) -> np.ndarray:
    """Where each pixel comes from under a geometric operation of AutoAugment.

    Args:
        name (str): torchvision's name of the operation, for example ``'ShearX'``.
        magnitude (float): Signed.
        height (int): H.
        width (int): W.

    Returns:
        ndarray: ``row * W + column``, or -1 outside; int64, shape ``(H * W,)``.
    """
    from PIL import Image
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.autoaugment import _apply_op
    numbers = np.arange(1, height * width + 1, dtype=np.int32).reshape(height, width)
    moved = _apply_op(Image.fromarray(numbers), name, magnitude, InterpolationMode.NEAREST, [0])
    return np.asarray(moved).astype(np.int64).flatten() - 1
