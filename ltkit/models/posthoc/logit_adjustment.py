"""Post-hoc logit adjustment."""

from __future__ import annotations

import math

from torch import Tensor

from ltkit.distribution_aware import CountsLike
from ltkit.registry import POSTHOC
from ltkit.utils.errors import ConfigError

from .base import PosthocRule


@POSTHOC.register_module()
class LogitAdjustment(PosthocRule):
    r"""Takes the class prior out of the logits of a model trained without it.

    .. math:: z'_c = z_c - \tau \log \pi_c, \quad \pi_c = n_c / \sum_k n_k

    It is for a plain softmax loss: a loss that has the prior in its softmax
    (Balanced Softmax) is corrected already. An empty class counts as one sample.

    Source: Menon et al., ICLR 2021, arXiv 2007.07314.

    Args:
        tau (float): :math:`\tau`; 0 changes nothing. Defaults to 1.0.
        class_counts (optional): See :class:`PosthocRule`.

    Raises:
        ConfigError: ``tau`` is not a finite number.

    Shape:
        ``(..., C)`` to the same.
    """

    prior_correction = 'tau'  # see ltkit.config.compatibility

    def __init__(self, tau: float = 1.0, class_counts: CountsLike | None = None) -> None:
        super().__init__(class_counts)
        if isinstance(tau, bool) or not isinstance(tau, (int, float)) or not math.isfinite(tau):
            raise ConfigError(f'tau must be a finite number, but is {tau!r}')
        self.tau = tau

    def forward(self, logits: Tensor) -> Tensor:
        return logits - self.tau * self.log_prior_for(logits)

    def extra_repr(self) -> str:
        return f'tau={self.tau}'
