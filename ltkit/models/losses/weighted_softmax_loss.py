"""Cross entropy with class weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ltkit.class_weights import RULES, class_weights
from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_choice, checked_number
from ltkit.utils.errors import ConfigError, DistributionError

from .base import LongTailLoss


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
        self.weighting = checked_choice('weighting', weighting, tuple(RULES))
        self.beta = checked_number('beta', beta, below=1)
        weights = None if class_weights is None else _checked_weights(class_weights)
        self.register_buffer('class_weights', weights, persistent=False)

    def class_weight(self, cls_score: Tensor) -> Tensor:
        if self.class_weights is not None:
            if len(self.class_weights) != cls_score.size(-1):
                raise DistributionError(f'class_weights holds {len(self.class_weights)} weights, but the '
                                        f'scores are of {cls_score.size(-1)} classes')
            return self.class_weights.to(cls_score)
        return class_weights(self.counts_for(cls_score), self.weighting, self.beta).to(cls_score.dtype)

    def extra_repr(self) -> str:
        if self.class_weights is not None:
            how = f'class_weights=<{len(self.class_weights)}>'
        else:
            how = f'weighting={self.weighting!r}'
            if self.weighting == 'effective_number':
                how += f', beta={self.beta}'
        return f'{how}, {super().extra_repr()}'


def _checked_weights(weights: Sequence[float]) -> Tensor:
    weights = torch.as_tensor(weights, dtype=torch.float64)
    if weights.dim() != 1 or not weights.isfinite().all() or (weights < 0).any() or not weights.any():
        raise ConfigError('class_weights must be finite numbers, one a class, none negative and not all 0')
    return weights
