"""The fixed last layer whose class vectors are a simplex equiangular tight frame."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltkit.registry import CLASSIFIERS
from ltkit.utils.arguments import checked_number
from ltkit.utils.dist import from_first_process
from ltkit.utils.errors import ConfigError

from .checks import check_sizes
from .cosine_classifier import unit_rows


@CLASSIFIERS.register_module()
class ETFClassifier(nn.Module):
    r"""Cosines of the feature with class vectors that are as far apart as can be, and stay there.

    .. math:: z_c = s \, m_c^\top h, \quad h = \frac{\mathrm{BN}(x)}{\|\mathrm{BN}(x)\|}, \quad
              M = (m_1, \dots, m_C) = \sqrt{\frac{C}{C - 1}} \, P \left(I - \tfrac1C 1 1^\top\right)

    where the columns of :math:`P \in R^{d \times C}` are orthonormal. Each
    :math:`m_c` has length 1, and each two have the cosine :math:`-1 / (C - 1)`: the
    simplex equiangular tight frame in which the last layer of a network that is
    trained on equal classes ends, and which rare classes leave (their vectors fall
    together). Only the batch normalisation BN learns. With one class M is P.

    The loss that belongs to it is ``DotRegressionLoss``; the cross entropy works as
    well. P is uniform among all orthonormal frames, drawn from the seed of the run,
    equal on all processes and kept in the checkpoint. Computed in float32 at least,
    also under autocast. A feature that BN takes to zeros has logits and gradients of
    zero; a training batch of one sample is normalised by the running statistics.

    Source: Yang et al., *Inducing Neural Collapse in Imbalanced Learning: Do We
    Really Need a Learnable Classifier at the End of Deep Neural Network?*, NeurIPS
    2022, arXiv 2203.09081. The official code draws P from numbers in [0, 1), so
    that its columns favour a direction, and leaves h at its length on ImageNet-LT.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature, at least C.
        scale (float): s, above 0. Defaults to 1.0, as in the paper; a cross entropy
            of cosines is better served by a larger one.
        batch_norm (bool): Whether there is BN. Defaults to True; without it
            nothing here learns.

    Shape:
        ``(N, d)`` to ``(N, C)``. The buffer ``etf`` has shape ``(C, d)``.

    Raises:
        ConfigError: d is below C, or a size or the scale is not above 0.
    """

    conformance = dict(skip={
        'samples_are_independent': 'batch normalisation sees the batch',
        'two_processes': 'batch normalisation of half a batch is another'})

    def __init__(self, num_classes: int, in_channels: int, scale: float = 1.0, batch_norm: bool = True) -> None:
        super().__init__()
        check_sizes(num_classes, in_channels)
        if in_channels < num_classes:
            raise ConfigError(
                f'ETFClassifier of {num_classes} classes needs features of at least as many channels, but '
                f'in_channels is {in_channels}; make the backbone wider (base_channels of the CIFAR networks, '
                'last_stage_width of ResNet), and set head.in_channels')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.scale = checked_number('scale of ETFClassifier', scale)
        if self.scale == 0:
            raise ConfigError('scale of ETFClassifier must be above 0, but is 0')
        self.norm = nn.BatchNorm1d(in_channels) if batch_norm else nn.Identity()
        self.register_buffer('etf', from_first_process(simplex_etf(num_classes, in_channels)))

    @property
    def class_vectors(self) -> Tensor:
        """:math:`m_c`, for measures of the geometry, shape ``(C, d)``."""
        return self.etf

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, C)`` of features ``(N, d)``, float32 or float64."""
        with torch.autocast(features.device.type, enabled=False):
            features = self.normalised(features.to(torch.promote_types(features.dtype, torch.float32)))
            return self.scale * F.linear(features, self.etf.to(features.dtype))

    def normalised(self, features: Tensor) -> Tensor:
        """h, shape ``(N, d)``, of features of a float32 or float64 dtype."""
        if self.training and len(features) == 1 and isinstance(self.norm, nn.BatchNorm1d):
            norm = self.norm  # a variance needs two samples
            return unit_rows(F.batch_norm(features, norm.running_mean, norm.running_var, norm.weight, norm.bias,
                                          eps=norm.eps))
        return unit_rows(self.norm(features))

    def extra_repr(self) -> str:
        return f'num_classes={self.num_classes}, in_channels={self.in_channels}, scale={self.scale:g}'


def simplex_etf(num_classes: int, channels: int) -> Tensor:
    r"""A simplex equiangular tight frame in a random position, shape ``(C, d)``.

    Args:
        num_classes (int): C.
        channels (int): d, at least C.

    Returns:
        Tensor: Rows :math:`m_c`, computed in float64, of the default dtype.
    """
    frame, upper = torch.linalg.qr(torch.randn(channels, num_classes, dtype=torch.float64))
    frame = frame * upper.diagonal().sign()  # else the frame depends on the routine
    if num_classes > 1:
        frame = (num_classes / (num_classes - 1))**0.5 * (frame - frame.mean(dim=1, keepdim=True))
    return frame.T.contiguous().to(torch.get_default_dtype())
