"""Cross entropy weighted by a power of the class prior."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ltkit.class_weights import inverse_frequency_weights
from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_number

from .base import LongTailLoss


@LOSSES.register_module()
class GeneralizedReweightLoss(LongTailLoss):
    r"""The generalised re-weighting (GRW) of DisAlign.

    .. math:: L = \frac{\sum_i w_{y_i} l_i}{\sum_i w_{y_i}}, \quad w_c \propto \pi_c^{-\rho}, \quad
              l_i = -\log \mathrm{softmax}(z_i)_{y_i}

    with weights that sum to C, where an empty class counts as one sample.
    :math:`\rho = 0` is the cross entropy, :math:`\rho = 1` the inverse frequency.
    It trains a :class:`~ltkit.models.classifiers.DisAlignClassifier` on images
    drawn instance-balanced, and works with any other.

    Source: Zhang et al., *Distribution Alignment*, CVPR 2021, arXiv 2103.16370;
    1.2 is for ImageNet-LT, and their code has 0.3 for semantic segmentation.

    Args:
        rho (float): :math:`\rho`, 0 or more. Defaults to 1.2.
        **kwargs: ``class_counts``, ``drw`` (its weights multiply these),
            ``reduction``, ``loss_weight``; see :class:`LongTailLoss`.

    Raises:
        ConfigError: ``rho`` is no number from 0 on.
    """

    prior_correction = 'rho'

    def __init__(self, rho: float = 1.2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rho = checked_number('rho', rho)

    def class_weight(self, cls_score: Tensor) -> Tensor:
        return inverse_frequency_weights(self.counts_for(cls_score), self.rho).to(cls_score.dtype)

    def extra_repr(self) -> str:
        return f'rho={self.rho}, {super().extra_repr()}'
