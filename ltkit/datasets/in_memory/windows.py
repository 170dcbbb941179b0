"""Taking windows of many images at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .base import on_device


def gather_windows(images: Tensor, indices: np.ndarray, tops: np.ndarray, lefts: np.ndarray,
                   size: tuple[int, int], flips: np.ndarray | None = None) -> Tensor:
    """One window of one image for each sample, some mirrored; nothing else is copied.

    Args:
        images (Tensor): Shape ``(M, C, H, W)``.
        indices (ndarray): Image of each sample, int64, shape ``(N,)``.
        tops (ndarray): First row of each window, int64, shape ``(N,)``.
        lefts (ndarray): First column, likewise.
        size (tuple[int, int]): Height h and width w of the windows.
        flips (ndarray, optional): Whether a window is mirrored left to right,
            bool, shape ``(N,)``.

    Returns:
        Tensor: New, shape ``(N, C, h, w)``, on the device of ``images``.
    """
    if images.device.type == 'cpu':  # numpy copies whole rows where torch copies pixels
        return torch.from_numpy(_gather_rows(images.numpy(), indices, tops, lefts, size, flips))
    return gather_on_device(images, indices, tops, lefts, size, flips)


def gather_on_device(images: Tensor, indices: np.ndarray, tops: np.ndarray, lefts: np.ndarray,
                     size: tuple[int, int], flips: np.ndarray | None = None) -> Tensor:
    """:func:`gather_windows` in torch alone, for accelerators."""
    windows = images.unfold(2, size[0], 1).unfold(3, size[1], 1)
    image, top, left = on_device(np.stack([indices, tops, lefts]), images)
    taken = windows[image, :, top, left]
    if flips is None:
        return taken
    return torch.where(on_device(flips, images)[:, None, None, None], taken.flip(-1), taken)


def _gather_rows(images: np.ndarray, indices: np.ndarray, tops: np.ndarray, lefts: np.ndarray,
                 size: tuple[int, int], flips: np.ndarray | None) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(images, size, axis=(2, 3))
    if flips is None:
        return windows[indices, :, tops, lefts]
    taken = np.empty((len(indices), images.shape[1], *size), images.dtype)
    for view, chosen in ((windows, ~flips), (windows[..., ::-1], flips)):
        taken[chosen] = view[indices[chosen], :, tops[chosen], lefts[chosen]]
    return taken
