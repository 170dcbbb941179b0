"""Vector scaling of the logits."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ltkit.class_weights import inverse_frequency_weights
from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_number

from .logit_adjusted_loss import LogitAdjustedLoss


@LOSSES.register_module()
class VSLoss(LogitAdjustedLoss):
    r"""Cross entropy of logits with a factor and an offset for each class.

    .. math:: l_i = -\log \mathrm{softmax}(\hat z_i)_{y_i}, \quad
              \hat z_{ic} = \Delta_c z_{ic} + \tau \log \pi_c, \quad
              \Delta_c = \left(\frac{n_c}{n_{max}}\right)^\gamma

    :math:`\gamma = 0` is :class:`LogitAdjustedLoss`, :math:`\tau = 0` the CDT
    loss (Ye et al., arXiv 2001.01385), both 0 the plain cross entropy. The
    factor and the offset act in training alone: prediction uses :math:`z`. An
    empty class counts as one sample.

    Source: Kini et al., *Label-Imbalanced and Group-Sensitive Classification
    under Overparameterization*, NeurIPS 2021, arXiv 2103.01550. The official
    code divides by :math:`1 / \Delta_c \ge 1`, which is the same.

    Args:
        gamma (float): :math:`\gamma`, 0 or more. Defaults to 0.3.
        tau (float): :math:`\tau`, 0 or more. Defaults to 1.0.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: ``gamma`` or ``tau`` is negative, or no finite number.
    """

    def __init__(self, gamma: float = 0.3, tau: float = 1.0, **kwargs: Any) -> None:
        super().__init__(tau, **kwargs)
        self.gamma = checked_number('gamma', gamma)

    def adjust_logits(self, cls_score: Tensor, target: Tensor) -> Tensor:
        factor = inverse_frequency_weights(self.counts_for(cls_score), -self.gamma, 'max').to(cls_score.dtype)
        return super().adjust_logits(cls_score * factor, target)

    def extra_repr(self) -> str:
        return f'gamma={self.gamma:g}, {super().extra_repr()}'
