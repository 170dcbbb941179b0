"""The normalised last layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltkit.registry import CLASSIFIERS
from ltkit.utils.errors import ConfigError

from .checks import check_sizes


@CLASSIFIERS.register_module()
class CosineClassifier(nn.Module):
    r"""Scaled cosine of feature and class weight, without a bias.

    .. math:: z_c = s \cos(x, w_c) = s \frac{x^\top w_c}{\|x\| \|w_c\|}

    With ``squash`` the length of the feature counts, up to one, as in OLTR:

    .. math:: z_c = s \frac{\|x\|}{1 + \|x\|} \cos(x, w_c)

    The scale is part of the logits, so that calibration, ensembles and post-hoc
    rules see real ones; a margin loss takes its scale from here. Computed in
    float32 at least, also under autocast: a cosine in half precision times 30
    has too few digits. A feature of zeros gives logits and gradients of zero.

    Source: the normalised layer of Cao et al. (NeurIPS 2019, arXiv 1906.07413); with
    ``squash`` that of Liu et al. (CVPR 2019, arXiv 1904.05160), of scale 16.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        scale (float): s, above 0. Defaults to 30.
        squash (bool): Whether the length of the feature counts. Defaults to False.

    Shape:
        ``(N, d)`` to ``(N, C)``. ``weight`` has shape ``(C, d)``, drawn from
        U(-1, 1) with rows of unit length.

    Raises:
        ConfigError: A size or the scale is not above 0.
    """

    def __init__(self, num_classes: int, in_channels: int, scale: float = 30.0, squash: bool = False) -> None:
        super().__init__()
        check_sizes(num_classes, in_channels)
        if not scale > 0:
            raise ConfigError(f'scale of CosineClassifier must be above 0, but is {scale}')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.scale = float(scale)
        self.squash = squash
        self.weight = nn.Parameter(torch.empty(num_classes, in_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight anew."""
        with torch.no_grad():
            self.weight.uniform_(-1, 1)
            self.weight.copy_(unit_rows(self.weight))

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, C)`` of features ``(N, d)``, float32 or float64."""
        with torch.autocast(features.device.type, enabled=False):
            dtype = torch.promote_types(features.dtype, torch.float32)
            x = features.to(dtype)
            x = x / (1 + torch.linalg.vector_norm(x, dim=-1, keepdim=True)) if self.squash else unit_rows(x)
            return self.scale * F.linear(x, unit_rows(self.weight.to(dtype)))

    def extra_repr(self) -> str:
        return (f'num_classes={self.num_classes}, in_channels={self.in_channels}, scale={self.scale:g}, '
                f'squash={self.squash}')


def unit_rows(rows: Tensor, smallest: float = 1e-6) -> Tensor:
    """Rows divided by their length, shape ``(..., d)``.

    A row shorter than ``smallest`` becomes zeros without a gradient: that of the
    cosine grows as one over the length, so that one dead feature would end a run.
    """
    length = torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
    return rows / length.masked_fill(length < smallest, float('inf'))
