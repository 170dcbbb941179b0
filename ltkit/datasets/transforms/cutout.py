"""Cutout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...registry import TRANSFORMS
from ...utils.errors import ConfigError
from .base import BaseTransform


@TRANSFORMS.register_module()
class Cutout(BaseTransform):
    """Blank one square of the image.

    The centre is anywhere in the image with equal chance, and the square is cut
    off at the border, so up to three quarters of it may lie outside. DeVries and
    Taylor, 2017, arXiv 1708.04552; side 16 for CIFAR-10.

    Args:
        size (int): Side of the square in pixels, at least 1. Defaults to 16.
        fill (float | Sequence[float]): Value, or one a channel, of 0..255.
            Defaults to 0 (the field blanks normalised images with 0, which is
            the mean colour: give that for the same).
        prob (float): Chance that an image is changed. Defaults to 1.
    """

    def __init__(self, size: int = 16, fill: float | Sequence[float] = 0, prob: float = 1.0) -> None:
        if not isinstance(size, int) or size < 1:
            raise ConfigError(f'Cutout: size must be a whole number of pixels, at least 1, but is {size!r}')
        if not 0 <= prob <= 1:
            raise ConfigError(f'Cutout: prob must be in [0, 1], but is {prob!r}')
        self.size = size
        self.fill = fill
        self.prob = prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Blank a square of a copy of ``img``."""
        if self.prob < 1 and torch.rand(()).item() >= self.prob:
            return results
        image = results['img'].copy()
        height, width = image.shape[:2]
        top = int(torch.randint(height, ()).item()) - self.size // 2
        left = int(torch.randint(width, ()).item()) - self.size // 2
        rows = slice(max(top, 0), max(top + self.size, 0))
        image[rows, max(left, 0):max(left + self.size, 0)] = np.round(self.fill)
        results['img'] = image
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, fill={self.fill}, prob={self.prob})'
