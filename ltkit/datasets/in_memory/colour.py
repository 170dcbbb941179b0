"""Changes of colour, a batch at once, to the number what Pillow makes of each image.

All take uint8 ``(n, C, H, W)``, C being 1 or 3, and most a strength for each image,
float ``(n,)``; they return a new tensor of the same form. A strength of the first four
is that of :mod:`PIL.ImageEnhance`: 1 leaves the image as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Towards black (0) or away from it (above 1)."""
    return _blend(torch.zeros_like(images), images, factor)


def colour(images: Tensor, factor: Tensor) -> Tensor:
    """Towards grey (0) or away from it (above 1)."""
    return _blend(luma(images).expand_as(images), images, factor)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Towards the mean luma (0) or away from it (above 1)."""
    mean = (luma(images).double().mean((1, 2, 3), keepdim=True) + 0.5).floor().to(torch.uint8)
    return _blend(mean.expand_as(images), images, factor)


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Towards the image smoothed by (1 1 1, 1 5 1, 1 1 1) / 13 (0) or away from it (above 1)."""
    channels, height, width = images.shape[1:]
    if min(height, width) < 3:
        return images.clone()
    kernel = torch.ones(channels, 1, 3, 3, device=images.device)
    kernel[:, :, 1, 1] = 5
    sums = F.conv2d(images.float(), kernel, groups=channels).round_().to(torch.int32)
    smooth = images.clone()  # the border stays
    smooth[:, :, 1:-1, 1:-1] = ((2 * sums + 13) // 26).to(torch.uint8)
    return _blend(smooth, images, factor)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the highest ``bits`` of each value."""
    masks = torch.bitwise_left_shift(torch.full_like(bits, 255, dtype=torch.int32), 8 - bits.to(torch.int32))
    return images & (masks & 255).to(torch.uint8)[:, None, None, None]


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert the values from ``threshold`` on."""
    return torch.where(images < threshold[:, None, None, None], images, 255 - images)


def autocontrast(images: Tensor, _: Tensor | None = None) -> Tensor:
    """Stretch each channel to 0 .. 255."""
    low = images.amin((2, 3)).flatten().double()[:, None]
    high = images.amax((2, 3)).flatten().double()[:, None]
    scale = torch.full_like(low, 255.0) / (high - low)  # 255.0 / tensor would be rounded twice
    levels = torch.arange(256, device=images.device, dtype=torch.float64)
    table = (levels * scale - low * scale).trunc().clamp(0, 255)
    return _look_up(images, torch.where(high > low, table, levels))


def equalize(images: Tensor, _: Tensor | None = None) -> Tensor:
    """Spread the values of each channel evenly."""
    flat = images.flatten(2).flatten(0, 1).long()
    counts = torch.zeros(len(flat), 256, dtype=torch.int64, device=images.device)
    counts.scatter_add_(1, flat, torch.ones_like(flat))
    of_largest = counts.gather(1, flat.amax(1, keepdim=True))
    step = (flat.shape[1] - of_largest) // 255
    below = counts.cumsum(1) - counts
    levels = torch.arange(256, device=images.device)
    table = ((step // 2 + below) // step.clamp(min=1)).clamp(max=255)
    return _look_up(images, torch.where(step > 0, table, levels))


def invert(images: Tensor, _: Tensor | None = None) -> Tensor:
    """255 - value."""
    return 255 - images


# By the names of AutoAugment.
COLOUR_OPS: dict[str, Callable[[Tensor, Tensor], Tensor]] = dict(
    Brightness=brightness, Color=colour, Contrast=contrast, Sharpness=sharpness, Posterize=posterize,
    Solarize=solarize, AutoContrast=autocontrast, Equalize=equalize, Invert=invert)


def luma(images: Tensor) -> Tensor:
    """ITU-R 601-2 luma in Pillow's 16-bit weights, uint8 ``(n, 1, H, W)``; a grey image is its own."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.to(torch.int32).unbind(1)
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).to(torch.uint8)[:, None]


def _blend(start: Tensor, end: Tensor, factor: Tensor) -> Tensor:
    """``start + factor * (end - start)`` in float32, cut off towards 0."""
    start = start.float()
    mixed = (end.float() - start).mul_(factor.float()[:, None, None, None]).add_(start)
    return mixed.clamp_(0, 255).to(torch.uint8)


def _look_up(images: Tensor, table: Tensor) -> Tensor:
    """``table[value]`` with one table a channel of each image, shape ``(n * C, 256)``."""
    flat = images.flatten(2).flatten(0, 1).long()
    return table.to(torch.uint8).gather(1, flat).view_as(images)
