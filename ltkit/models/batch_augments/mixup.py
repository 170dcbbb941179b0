"""Mixup."""

from __future__ import annotations

from torch import Tensor

from ltkit.registry import BATCH_AUGMENTS

from .base import PairMixing, blend


@BATCH_AUGMENTS.register_module()
class Mixup(PairMixing):
    r"""Blends pairs of images and of labels.

    .. math:: \tilde x_i = \lambda x_i + (1 - \lambda) x_{j(i)}, \quad
              \tilde t_i = \lambda t_i + (1 - \lambda) t_{j(i)}

    Source: Zhang et al., ICLR 2018, arXiv 1710.09412.

    Args:
        alpha (float): :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)` once a
            batch; above 0. Defaults to 1.0.
        prob (float): Probability to mix a batch, in [0, 1]. Defaults to 1.0.

    Shape:
        Images ``(N, C, H, W)`` and labels ``(N, K)``, to the same.
    """

    def mix(self, inputs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        lam, partners = self.draw_lambda(), self.draw_partners(inputs)
        return blend(inputs, partners, lam), blend(target, partners, lam)
