"""Batched crops, flips and rotations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...utils.errors import ConfigError
from ...utils.rng import SampleDraws
from .base import BatchedTransform, batched_twin, on_device
from .windows import gather_windows


@batched_twin('torchvision/RandomCrop')
class BatchedRandomCrop(BatchedTransform):
    """A window of each padded image; two draws a sample.

    As the first of a pipeline it takes its windows out of images that were
    padded once (:meth:`padded`, :meth:`windows`).
    """

    def __init__(self, transform: Any) -> None:
        self.crop = transform.apply
        if not isinstance(self.crop.fill, (int, float)):
            raise self.refuse(f'fill={self.crop.fill}', 'one number')
        self.size = tuple(self.crop.size)

    def padded(self, images: Tensor) -> Tensor:
        """``images`` ``(N, C, H, W)`` with what the transform pads.

        Raises:
            ConfigError: They are smaller than the window even so.
        """
        from torchvision.transforms import functional
        crop, (height, width) = self.crop, self.size
        pads = [] if crop.padding is None else [crop.padding]
        if crop.pad_if_needed:
            sides = [0, 0] if crop.padding is None else _both_sides(crop.padding)
            missing = (width - images.shape[3] - sides[0], height - images.shape[2] - sides[1])
            pads += [[max(missing[0], 0), 0], [0, max(missing[1], 0)]]
        for pad in pads:
            pad = pad if isinstance(pad, int) else list(pad)
            images = functional.pad(images, pad, crop.fill, crop.padding_mode)
        if images.shape[2] < height or images.shape[3] < width:
            raise ConfigError(f'{self.name}: size {self.size} is larger than the padded images, '
                              f'{tuple(images.shape[2:])}')
        return images

    def windows(self, shape: torch.Size, draws: SampleDraws) -> tuple[np.ndarray, np.ndarray]:
        """First rows and columns of the windows in padded images of ``shape``, int64 ``(N,)`` each."""
        return draws.integers(shape[2] - self.size[0] + 1), draws.integers(shape[3] - self.size[1] + 1)

    def __call__(self, images: Tensor, draws: SampleDraws) -> Tensor:
        images = self.padded(images)
        tops, lefts = self.windows(images.shape, draws)
        return gather_windows(images, np.arange(len(images)), tops, lefts, self.size)


@batched_twin('torchvision/RandomHorizontalFlip')
class BatchedHorizontalFlip(BatchedTransform):
    """Mirrors left to right with chance p; one draw a sample."""

    axis = 3

    def __init__(self, transform: Any) -> None:
        self.chance = float(transform.apply.p)

    def flips(self, draws: SampleDraws) -> np.ndarray:
        """Which samples are mirrored, bool, shape ``(N,)``."""
        return draws.uniform() < self.chance

    def __call__(self, images: Tensor, draws: SampleDraws) -> Tensor:
        flips = on_device(self.flips(draws), images)
        return torch.where(flips[:, None, None, None], images.flip(self.axis), images)


@batched_twin('torchvision/RandomVerticalFlip')
class BatchedVerticalFlip(BatchedHorizontalFlip):
    """Mirrors top to bottom with chance p; one draw a sample."""

    axis = 2


@batched_twin('torchvision/RandomRotation')
class BatchedRotation(BatchedTransform):
    """Rotates about the centre by an angle of a range, nearest neighbour; one draw a sample."""

    def __init__(self, transform: Any) -> None:
        rotation = transform.apply
        if rotation.interpolation.value != 'nearest' or rotation.expand:
            raise self.refuse(f"interpolation='{rotation.interpolation.value}', expand={rotation.expand}",
                              "interpolation='nearest' without expand")
        self.degrees = tuple(map(float, rotation.degrees))
        self.center = None if rotation.center is None else tuple(rotation.center)
        self.fill = rotation.fill

    def __call__(self, images: Tensor, draws: SampleDraws) -> Tensor:
        low, high = self.degrees
        angles = low + (high - low) * draws.uniform()
        height, width = images.shape[2:]
        matrices = rotation_matrices(angles, self.center or (width / 2, height / 2))
        return take_pixels(images, affine_sources(matrices, height, width, images), self.fill)


def rotation_matrices(degrees: np.ndarray, center: tuple[float, float]) -> np.ndarray:
    """From output to input position, as Pillow rotates: float64, shape ``(N, 6)``.

    Args:
        degrees (ndarray): Counter-clockwise angles, shape ``(N,)``.
        center (tuple[float, float]): x and y of the fixed point, in pixels.
    """
    radians = -np.radians(np.mod(degrees, 360.0))
    cos, sin = np.round(np.cos(radians), 15), np.round(np.sin(radians), 15)
    x, y = center
    return np.stack([cos, sin, -cos * x - sin * y + x, -sin, cos, sin * x - cos * y + y], axis=1)


def affine_sources(matrices: np.ndarray, height: int, width: int, like: Tensor) -> Tensor:
    """The input pixel of each output pixel, nearest neighbour, in Pillow's 16.16 fixed point.

    Args:
        matrices (ndarray): (a, b, c, d, e, f) of :math:`x' = ax + by + c`, :math:`y' =
            dx + ey + f`, float64, shape ``(N, 6)``.
        height (int): H.
        width (int): W.
        like (Tensor): On the device wanted.

    Returns:
        Tensor: ``row * W + column``, or -1 outside; int64, shape ``(N, H * W)``.
    """
    centred = matrices.copy()
    for start in (0, 3):
        centred[:, start + 2] += matrices[:, start] * 0.5 + matrices[:, start + 1] * 0.5
    fixed = on_device(np.floor(centred * 65536.0 + 0.5).astype(np.int64), like)[:, :, None, None]
    rows = torch.arange(height, device=like.device)[:, None]
    columns = torch.arange(width, device=like.device)
    x = (fixed[:, 0] * columns + fixed[:, 1] * rows + fixed[:, 2]) >> 16
    y = (fixed[:, 3] * columns + fixed[:, 4] * rows + fixed[:, 5]) >> 16
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return torch.where(inside, y * width + x, -1).flatten(1)


def take_pixels(images: Tensor, sources: Tensor, fill: Any) -> Tensor:
    """Images whose pixels are those at ``sources``.

    Args:
        images (Tensor): Shape ``(N, C, H, W)``.
        sources (Tensor): ``row * W + column``, or -1 for ``fill``, shape ``(N, H * W)``.
        fill (float | Sequence[float] | None): Value, or one a channel.
    """
    channels = images.shape[1]
    pixels = images.flatten(2).gather(2, sources.clamp(min=0)[:, None].expand(-1, channels, -1))
    values = [fill or 0] * channels if not isinstance(fill, (list, tuple)) else list(fill)
    values = on_device(np.array([int(value) for value in values]), images).to(images.dtype)
    return torch.where(sources[:, None] < 0, values[:, None], pixels).view_as(images)


def _both_sides(padding: Any) -> list[int]:
    """What ``padding`` (one number; left-right and top-bottom; or four) adds to width and height."""
    if isinstance(padding, int):
        return [2 * padding, 2 * padding]
    padding = list(padding)
    if len(padding) == 1:
        return [2 * padding[0], 2 * padding[0]]
    if len(padding) == 2:
        return [2 * padding[0], 2 * padding[1]]
    return [padding[0] + padding[2], padding[1] + padding[3]]
