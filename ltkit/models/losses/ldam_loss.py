"""Label-distribution-aware margins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ltkit.class_weights import inverse_frequency_weights
from ltkit.registry import LOSSES
from ltkit.utils.errors import ConfigError

from .base import LongTailLoss, losses_of_samples
from .log_complement import log_complement


@LOSSES.register_module()
class LDAMLoss(LongTailLoss):
    r"""Cross entropy with a margin that is larger for smaller classes.

    .. math:: l_i = -\log \frac{e^{z_{i y_i} - s m_{y_i}}}
              {e^{z_{i y_i} - s m_{y_i}} + \sum_{c \ne y_i} e^{z_{ic}}}, \quad
              m_c = m_{max} \left(\frac{n_{min}}{n_c}\right)^{1/4}

    The logits are at their final scale, :math:`z = s \cos` with
    :class:`CosineClassifier`, so the margin carries the scale and nothing else
    is multiplied. LDAM-DRW is ``drw=dict(begin=160, beta=0.9999)``. An empty
    class counts as one sample. Soft labels mix the losses of the classes,
    :math:`\sum_c t_{ic} l_{ic}`, each with its own margin.

    Source: Cao et al., NeurIPS 2019, arXiv 1906.07413.

    Args:
        max_margin (float): :math:`m_{max}`, the margin of the smallest class in
            units of the cosine, 0 or more. Defaults to 0.5.
        scale (float, optional): s, above 0. Defaults to that of the classifier,
            which the head hands over, or 30 without a head.
        drw (dict, optional): Deferred re-weighting, see :class:`LongTailLoss`.
            Defaults to None.
        **kwargs: ``class_counts``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: A margin or scale out of range.
    """

    def __init__(self,
                 max_margin: float = 0.5,
                 scale: float | None = None,
                 drw: Mapping[str, Any] | None = None,
                 **kwargs: Any) -> None:
        super().__init__(drw=drw, **kwargs)
        if not max_margin >= 0:
            raise ConfigError(f'max_margin must be 0 or more, but is {max_margin}')
        self.max_margin = max_margin
        self.scale_given = scale is not None
        self.scale = checked_scale(30.0 if scale is None else scale)

    def set_scale(self, scale: float) -> None:
        """Take the scale of the classifier's logits, unless one was given in the config."""
        if not self.scale_given:
            self.scale = checked_scale(scale)

    def adjust_logits(self, cls_score: Tensor, target: Tensor) -> Tensor:
        margins = self.scale * ldam_margins(self.counts_for(cls_score), self.max_margin)
        return cls_score - margins * F.one_hot(target, cls_score.size(1))

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
        if target.dim() == 1:
            return super().sample_losses(cls_score, target, class_weight)
        margins = self.scale * ldam_margins(self.counts_for(cls_score), self.max_margin)
        return losses_of_samples(margin_losses(cls_score, margins), target, class_weight)

    def extra_repr(self) -> str:
        return f'max_margin={self.max_margin}, scale={self.scale:g}, {super().extra_repr()}'


def ldam_margins(counts: Tensor, max_margin: float = 0.5) -> Tensor:
    r"""Margins :math:`m_{max} (n_{min} / n_c)^{1/4}`, shape ``(C,)``.

    Args:
        counts (Tensor): :math:`n_c`, above 0, shape ``(C,)``, of a float dtype.
        max_margin (float): The margin of the smallest class.
    """
    return max_margin * inverse_frequency_weights(counts, 0.25, 'max').to(counts.dtype)


def margin_losses(cls_score: Tensor, margins: Tensor) -> Tensor:
    r"""Cross entropy with a margin for every class as if it were the target.

    .. math:: l_{ic} = \log\left(1 + e^{r_{ic} - z_{ic} + m_c}\right), \quad
              r_{ic} = \log \sum_{k \ne c} e^{z_{ik}}

    Linear in C: :math:`r_{ic} - z_{ic} = \log(1 - p_{ic}) - \log p_{ic}` comes
    from one softmax p.

    Args:
        cls_score (Tensor): z, shape ``(N, C)``.
        margins (Tensor): :math:`m_c` in units of the logits, shape ``(C,)`` or, of
            each sample its own, ``(N, C)``.

    Returns:
        Tensor: l, shape ``(N, C)``.
    """
    log_prob = cls_score.log_softmax(dim=1)
    return torch.logaddexp(log_complement(log_prob) - log_prob + margins, cls_score.new_zeros(()))


def checked_scale(scale: float) -> float:
    """A scale as a float, or :class:`ConfigError` when it is not above 0."""
    if not scale > 0:
        raise ConfigError(f'scale of a margin loss must be above 0, but is {scale}')
    return float(scale)
