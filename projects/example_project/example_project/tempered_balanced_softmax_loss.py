"""Balanced Softmax with a part of the class prior."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ltkit.models.losses import LongTailLoss
from ltkit.registry import LOSSES
from ltkit.utils.errors import ConfigError


@LOSSES.register_module()
class TemperedBalancedSoftmaxLoss(LongTailLoss):
    r"""Cross entropy with a power of the class prior in the softmax.

    .. math:: l_i = -\log \frac{n_{y_i}^t \, e^{z_{i y_i}}}{\sum_c n_c^t \, e^{z_{ic}}}

    :math:`t = 0` is the plain softmax, :math:`t = 1` Balanced Softmax (Ren et al.,
    NeurIPS 2020, arXiv 2007.10740), and t the :math:`\tau` of logit adjustment
    (Menon et al., ICLR 2021, arXiv 2007.07314).

    Args:
        temperature (float): t, not negative. Defaults to 0.5.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`~ltkit.models.losses.LongTailLoss`.

    Raises:
        ConfigError: ``temperature`` is negative.
    """

    prior_correction = 'temperature'  # read by the compatibility checker

    def __init__(self, temperature: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if temperature < 0:
            raise ConfigError(f'TemperedBalancedSoftmaxLoss: temperature must be >= 0, but is {temperature}')
        self.temperature = temperature

    def adjust_logits(self, cls_score: Tensor, target: Tensor) -> Tensor:
        return cls_score + self.temperature * self.log_prior_for(cls_score)
