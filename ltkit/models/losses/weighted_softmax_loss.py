"""Cross entropy with class weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ltkit.distribution import effective_number_weights, inverse_frequency_weights, log_ratio_weights
from ltkit.registry import LOSSES
from ltkit.utils.errors import ConfigError, DistributionError, did_you_mean

from .base import LongTailLoss

WEIGHTINGS = ('log_ratio', 'inverse', 'sqrt_inverse', 'effective_number')


@LOSSES.register_module()
class WeightedSoftmaxLoss(LongTailLoss):
    r"""Cross entropy with fixed class weights.

    .. math:: L = \frac{\sum_i w_{y_i} l_i}{\sum_i w_{y_i}}, \quad l_i = -\log \mathrm{softmax}(z_i)_{y_i}

    with :math:`w_c` by ``weighting``, where an empty class counts as one sample:

    ==================== =================================================
    ``log_ratio``        :math:`1 - \ln(n_c / n_{max})`, of the survey
    ``inverse``          :math:`\propto 1 / n_c`
    ``sqrt_inverse``     :math:`\propto 1 / \sqrt{n_c}`
    ``effective_number`` :math:`\propto (1 - \beta) / (1 - \beta^{n_c})`
    ==================== =================================================

    Source: *Deep Long-Tailed Learning: A Survey*, arXiv 2110.04596, whose code
    takes the weights from OLTR (arXiv 1904.05160); the effective number is of
    Cui et al., CVPR 2019, arXiv 1901.05555.

    Args:
        weighting (str): See above. Defaults to ``'log_ratio'``.
        beta (float): Of ``effective_number``, in [0, 1). Defaults to 0.9999.
        class_weights (Sequence[float], optional): :math:`w_c` itself, shape
            ``(C,)``, none negative; then no class counts are needed.
        **kwargs: ``class_counts``, ``drw`` (its weights multiply these),
            ``reduction``, ``loss_weight``; see :class:`LongTailLoss`.

    Raises:
        ConfigError: An unknown ``weighting``, ``beta`` or weights out of range.
        DistributionError: ``class_weights`` of another C than the logits.
    """

    class_weights: Tensor | None
    # See ltkit.config.compatibility; log_ratio is no power of n, but about this one at n_max / n = 100.
    prior_correction = {'weighting': {'log_ratio': 0.4, 'inverse': 1.0, 'sqrt_inverse': 0.5,
                                      'effective_number': 1.0}}

    def __init__(self,
                 weighting: str = 'log_ratio',
                 beta: float = 0.9999,
                 class_weights: Sequence[float] | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if weighting not in WEIGHTINGS:
            raise ConfigError(f"weighting must be one of {', '.join(WEIGHTINGS)}, but is '{weighting}'"
                              f'{did_you_mean(weighting, WEIGHTINGS)}')
        if not 0 <= beta < 1:
            raise ConfigError(f'beta must be in [0, 1), but is {beta}')
        self.weighting = weighting
        self.beta = beta
        weights = None if class_weights is None else _checked_weights(class_weights)
        self.register_buffer('class_weights', weights, persistent=False)

    def class_weight(self, cls_score: Tensor) -> Tensor:
        if self.class_weights is not None:
            if len(self.class_weights) != cls_score.size(-1):
                raise DistributionError(f'class_weights holds {len(self.class_weights)} weights, but the '
                                        f'scores are of {cls_score.size(-1)} classes')
            return self.class_weights.to(cls_score)
        return weights_by(self.weighting, self.counts_for(cls_score), self.beta).to(cls_score.dtype)

    def extra_repr(self) -> str:
        if self.class_weights is not None:
            how = f'class_weights=<{len(self.class_weights)}>'
        else:
            how = f'weighting={self.weighting!r}'
            if self.weighting == 'effective_number':
                how += f', beta={self.beta}'
        return f'{how}, {super().extra_repr()}'


def weights_by(weighting: str, counts: Tensor, beta: float = 0.9999) -> Tensor:
    """Class weights by the name of their rule, float64, shape ``(C,)``.

    Args:
        weighting (str): One of ``WEIGHTINGS``.
        counts (Tensor): Class counts, shape ``(C,)``.
        beta (float): Of the effective number.
    """
    if weighting == 'log_ratio':
        return log_ratio_weights(counts)
    if weighting == 'effective_number':
        return effective_number_weights(counts, beta)
    return inverse_frequency_weights(counts, power=0.5 if weighting == 'sqrt_inverse' else 1.0)


def _checked_weights(weights: Sequence[float]) -> Tensor:
    weights = torch.as_tensor(weights, dtype=torch.float64)
    if weights.dim() != 1 or not weights.isfinite().all() or (weights < 0).any() or not weights.any():
        raise ConfigError('class_weights must be finite numbers, one a class, none negative and not all 0')
    return weights
