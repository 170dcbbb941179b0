"""CutMix."""

from __future__ import annotations

import torch
from torch import Tensor

from ltkit.registry import BATCH_AUGMENTS

from .base import PairMixing, blend


@BATCH_AUGMENTS.register_module()
class CutMix(PairMixing):
    r"""Pastes a box of each image's partner and blends the labels by area.

    The box has the sides :math:`\sqrt{1 - \lambda}` of the image's and its
    centre anywhere, and is cut at the border; the labels are blended by
    :math:`\lambda = 1 - \text{pixels of the box} / HW`, counted afterwards.

    Source: Yun et al., ICCV 2019, arXiv 1905.04899.

    Args:
        alpha (float): :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)` once a
            batch; above 0. Defaults to 1.0.
        prob (float): Probability to mix a batch, in [0, 1]. Defaults to 1.0.

    Shape:
        Images ``(N, C, H, W)`` and labels ``(N, K)``, to the same.
    """

    def mix(self, inputs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        lam, partners = self.draw_lambda(), self.draw_partners(inputs)
        height, width = inputs.shape[-2:]
        top, bottom, left, right = draw_box(height, width, lam)
        mixed = inputs.clone()
        mixed[..., top:bottom, left:right] = inputs[partners, :, top:bottom, left:right]
        lam = 1 - (bottom - top) * (right - left) / (height * width)
        return mixed, blend(target, partners, lam)


def draw_box(height: int, width: int, lam: float) -> tuple[int, int, int, int]:
    r"""A box of about :math:`(1 - \lambda) H W` pixels around a random centre, cut at the border.

    Args:
        height (int): H in pixels.
        width (int): W in pixels.
        lam (float): :math:`\lambda` in [0, 1].

    Returns:
        tuple[int, int, int, int]: First row, end row, first column, end column.
    """
    side = (1 - lam)**0.5
    edges = []
    for length in (height, width):
        half = int(length * side) // 2
        centre = int(torch.randint(length, ()))
        edges += [max(centre - half, 0), min(centre + half, length)]
    return tuple(edges)
