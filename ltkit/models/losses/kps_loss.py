"""The key-point sensitive loss."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ltkit.class_weights import log_ratio_weights
from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_epoch, checked_number
from ltkit.utils.errors import ConfigError

from .base import losses_of_samples, weight_of_samples
from .cosine_loss import CosineLoss
from .ldam_loss import margin_losses


@LOSSES.register_module()
class KPSLoss(CosineLoss):
    r"""Cross entropy of cosines with a factor for large classes and a margin for small ones.

    .. math:: l_i = -\log \mathrm{softmax}(S_{y_i} \hat u_i)_{y_i}, \quad
              \hat u_{ic} = f_c u_{ic} - m_c \, [c = y_i], \quad
              f_c = \frac{\log(k \, n_c / n_{min})}{\log k}, \quad
              m_c = m_{max} \frac{\tilde f_c}{f_{max}}

    Here :math:`\tilde f` is f in the reversed order: the largest class has
    that of the smallest, the second largest that of the second smallest, and so
    on. So :math:`f_c` is from 1 for the smallest class up, and the smallest has
    the largest margin, :math:`m_{max}`. At first :math:`S_c` is the scale s for
    all classes. From the 0-based epoch ``begin`` on (the authors' gradient
    adjustment) it is larger for smaller classes:

    .. math:: S_c = \min(s \tilde f_c, S_{max})

    Prediction is by u, without factors and margins. Equal class counts give the
    cross entropy of :math:`s (u_{ic} - m_{max} [c = y_i])` in all epochs. An empty class
    counts as one sample. Soft labels mix the losses of the classes, all at the mean
    scale :math:`\sum_c t_{ic} S_c`.

    Source: Li, Cheung, Hu, *Key Point Sensitive Loss for Long-tailed Visual
    Recognition*, IEEE TPAMI 45(4), 2023, doi 10.1109/TPAMI.2022.3196044; the
    equations are those of the authors' code. That code reverses the list of the
    classes, which it takes to be sorted by falling size. Here the order is that of the
    sizes, whatever the numbers of the classes are, and classes of equal size share the
    mean of their values.

    Args:
        max_margin (float): :math:`m_{max}` in units of the cosine, 0 or more.
            Defaults to 0.2.
        scale (float, optional): s, above 0; see :class:`CosineLoss`. Defaults to
            that of the classifier, or 15 without a head.
        begin (int, optional): The 0-based epoch from which on samples have scales
            of their own; 0 from the start, None never. Defaults to 120, of the
            200 epochs of the paper.
        max_scale (float): :math:`S_{max}`, not below s. Defaults to 50.0.
        smallest_count (float): k, above 1: the counts are taken in the ratio at which
            the smallest is k. Defaults to 50.0.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: An argument is out of its range.
    """

    conformance = dict(skip=dict(uniform_counts='equal margins stay margins'))
    default_scale = 15.0

    def __init__(self,
                 max_margin: float = 0.2,
                 scale: float | None = None,
                 begin: int | None = 120,
                 max_scale: float = 50.0,
                 smallest_count: float = 50.0,
                 **kwargs: Any) -> None:
        super().__init__(scale, **kwargs)
        self.max_margin = checked_number('max_margin', max_margin)
        self.begin = checked_epoch('begin', begin, or_none=True)
        self.max_scale = checked_number('max_scale', max_scale)
        self._check_max_scale()
        self.smallest_count = checked_number('smallest_count', smallest_count)
        if self.smallest_count <= 1:
            raise ConfigError(f'smallest_count must be above 1, but is {smallest_count}')
        self.sample_scales_active = begin == 0

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        self._check_max_scale()

    def set_epoch(self, epoch: int, max_epochs: int | None = None) -> None:
        super().set_epoch(epoch, max_epochs)
        active = self.begin is not None and epoch >= self.begin
        if active != self.sample_scales_active:
            self.sample_scales_active = active

    def adjust_logits(self, cls_score: Tensor, target: Tensor) -> Tensor:
        logits, margins = self.scaled(cls_score, target)
        return logits - margins * F.one_hot(target, logits.size(1))

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
        if target.dim() == 1:
            return super().sample_losses(cls_score, target, class_weight)
        return losses_of_samples(margin_losses(*self.scaled(cls_score, target)), target, class_weight)

    def scaled(self, cls_score: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        r"""Logits :math:`S f_c u_{ic}` and margins :math:`S m_c` at the scale S of each sample.

        Args:
            cls_score (Tensor): Shape ``(N, C)``.
            target (Tensor): Shape ``(N,)`` int64, or ``(N, C)`` soft labels.

        Returns:
            tuple[Tensor, Tensor]: Shapes ``(N, C)``, and ``(N, C)`` or ``(C,)``.
        """
        factors = kps_factors(self.counts_for(cls_score), self.smallest_count)
        rising = reversed_by_rank(factors)
        logits = factors.to(cls_score.dtype) * self.rescaled(cls_score)
        margins = (self.scale * self.max_margin / factors.max() * rising).to(cls_score.dtype)
        if not self.sample_scales_active:
            return logits, margins
        relative = rising.clamp(max=self.max_scale / self.scale).to(cls_score.dtype)
        sample = weight_of_samples(relative, target)[:, None]
        return sample * logits, sample * margins

    def _check_max_scale(self) -> None:
        if self.max_scale < self.scale:
            raise ConfigError(f'max_scale must not be below the scale ({self.scale:g}), but is {self.max_scale:g}')

    def extra_repr(self) -> str:
        return (f'max_margin={self.max_margin:g}, begin={self.begin}, max_scale={self.max_scale:g}, '
                f'smallest_count={self.smallest_count:g}, {super().extra_repr()}')


def kps_factors(counts: Tensor, smallest_count: float = 50.0) -> Tensor:
    r"""Factors :math:`f_c = \log(k n_c / n_{min}) / \log k`, float64, shape ``(C,)``, 1 for the smallest class.

    Args:
        counts (Tensor): :math:`n_c`, above 0, shape ``(C,)``.
        smallest_count (float): k, above 1.
    """
    rarity = log_ratio_weights(counts)
    return 1 + (rarity.max() - rarity) / math.log(smallest_count)


def reversed_by_rank(values: Tensor) -> Tensor:
    """Give the largest value in the place of the smallest, the second largest in that of the second smallest, ...

    Equal values get the mean of what they would get in any order.

    Args:
        values (Tensor): Shape ``(C,)``.

    Returns:
        Tensor: Shape ``(C,)``.
    """
    ordered = values.sort().values
    first = torch.searchsorted(ordered, values)
    last = torch.searchsorted(ordered, values, right=True)
    sums = F.pad(ordered.flip(0).cumsum(0), (1, 0))
    return (sums[last] - sums[first]) / (last - first)
