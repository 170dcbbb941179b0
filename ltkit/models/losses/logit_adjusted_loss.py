"""The logit adjusted loss."""

from __future__ import annotations

from typing import Any

from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_number

from .balanced_softmax_loss import BalancedSoftmaxLoss


@LOSSES.register_module()
class LogitAdjustedLoss(BalancedSoftmaxLoss):
    r"""Cross entropy with a power of the class prior in the softmax.

    .. math:: l_i = -\log \frac{\pi_{y_i}^\tau e^{z_{i y_i}}}{\sum_c \pi_c^\tau e^{z_{ic}}}, \quad
              \pi_c = n_c / \sum_k n_k

    :math:`\tau = 1` is :class:`BalancedSoftmaxLoss`, :math:`\tau = 0` the plain
    cross entropy. The prior is added in training alone: prediction uses
    :math:`z`. The same correction after training is the post-hoc rule
    ``LogitAdjustment``; use one of them. An empty class counts as one sample.

    Source: Menon et al., *Long-tail learning via logit adjustment*, ICLR 2021,
    arXiv 2007.07314. The official code adds 1e-12 to :math:`\pi_c^\tau`, which
    is not needed here.

    Args:
        tau (float): :math:`\tau`, 0 or more. Defaults to 1.0.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: ``tau`` is negative, or no finite number.
    """

    prior_correction = 'tau'  # see ltkit.config.compatibility

    def __init__(self, tau: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tau = checked_number('tau', tau)

    def extra_repr(self) -> str:
        return f'tau={self.tau:g}, {super().extra_repr()}'
