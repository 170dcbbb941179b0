"""The linear layer with a learnable scale for each class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltkit.registry import CLASSIFIERS

from .linear_based import LinearBased


@CLASSIFIERS.register_module()
class LWSClassifier(LinearBased):
    r"""Learnable weight scaling: a linear layer whose logits are scaled by class.

    .. math:: z_c = s_c (w_c^\top x + b_c)

    The scale acts on the bias as well, as in the official code; the paper has no
    bias in its equation. ``weight`` and ``bias`` have the names that they have in
    :class:`LinearClassifier`, whose weights it continues with. In the paper the
    ``scales`` alone are trained, which is for the config to say::

        frozen = dict(parameters=['backbone', 'head.classifier.weight', 'head.classifier.bias'])

    Source: Kang et al., *Decoupling Representation and Classifier*, ICLR 2020,
    arXiv 1910.09217, section 4.2.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        bias (bool): Whether there is a bias b. Defaults to True.

    Shape:
        ``(N, d)`` to ``(N, C)``. ``scales`` has shape ``(C,)`` and starts at 1.

    Raises:
        ConfigError: A size is not above 0.
    """

    def __init__(self, num_classes: int, in_channels: int, bias: bool = True) -> None:
        super().__init__(num_classes, in_channels, bias)
        self.scales = nn.Parameter(torch.ones(num_classes))

    @property
    def class_vectors(self) -> Tensor:
        """:math:`s_c w_c`, for measures of the geometry, shape ``(C, d)``."""
        return self.scales[:, None] * self.weight

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, C)`` of features ``(N, d)``."""
        logits = self.linear(features)
        return logits * self.scales.to(logits.dtype)  # which under autocast is narrower
