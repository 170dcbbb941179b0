"""The linear layer whose weights are divided by a power of their norms."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ltkit.registry import CLASSIFIERS
from ltkit.utils.arguments import checked_number

from .linear_based import LinearBased


@CLASSIFIERS.register_module()
class TauNormClassifier(LinearBased):
    r"""A linear layer with :math:`\tau`-normalised weights, without a bias.

    .. math:: z_c = \frac{w_c^\top x}{\lVert w_c \rVert^\tau}

    It has the parameters of :class:`LinearClassifier` by their names, so that a
    checkpoint of a trained one is tested with it as it is. The bias is among them,
    but left out of the logits and not trained; with ``keep_bias`` it is added
    unchanged, as the code of weight balancing (arXiv 2203.14197) does. The
    post-hoc rule :class:`~ltkit.models.posthoc.TauNormalization` gives the same
    logits, and has them for many :math:`\tau` from one evaluation. :math:`\tau` is
    chosen on a validation set, in the paper from 0 to 2 by 0.1.

    Source: Kang et al., *Decoupling Representation and Classifier*, ICLR 2020,
    arXiv 1910.09217, section 4.2.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        tau (float): :math:`\tau`, 0 or more; 0 leaves the bias out and changes
            nothing else. Defaults to 1.0.
        keep_bias (bool): Whether the bias is added. Defaults to False.
        bias (bool): Whether there is a bias among the parameters. Defaults to True.

    Shape:
        ``(N, d)`` to ``(N, C)``.

    Raises:
        ConfigError: A size is not above 0, or ``tau`` no number from 0 on.
    """

    def __init__(self, num_classes: int, in_channels: int, tau: float = 1.0, keep_bias: bool = False,
                 bias: bool = True) -> None:
        super().__init__(num_classes, in_channels, bias)
        self.tau = checked_number('tau', tau)
        self.keep_bias = keep_bias
        if self.bias is not None and not keep_bias:
            self.bias.requires_grad_(False)

    @property
    def class_vectors(self) -> Tensor:
        r""":math:`w_c / \lVert w_c \rVert^\tau`, for measures of the geometry, shape ``(C, d)``."""
        return divided_by_norms(self.weight.T, self.weight, self.tau).T

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, C)`` of features ``(N, d)``."""
        logits = divided_by_norms(F.linear(features, self.weight), self.weight, self.tau)
        return logits + self.bias.to(logits) if self.keep_bias and self.bias is not None else logits

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, tau={self.tau}, keep_bias={self.keep_bias}'


def divided_by_norms(products: Tensor, weight: Tensor, tau: float) -> Tensor:
    r"""Products :math:`w_c^\top x` over :math:`\lVert w_c \rVert^\tau`.

    Args:
        products (Tensor): Shape ``(..., C)``.
        weight (Tensor): :math:`w`, shape ``(C, d)``. A row of zeros has products of
            0, which stay.
        tau (float): :math:`\tau`.
    """
    norms = torch.linalg.vector_norm(weight, dim=1)
    return products / norms.masked_fill(norms == 0, 1).to(products)**tau
