"""What the meta sampler learns: how readily a sample of each class is taken."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ...class_weights import inverse_frequency_weights


class ClassRates(nn.Module):
    r"""Rates :math:`\rho_c = \sigma(\psi_c)` with :math:`\psi` to be learned.

    They begin at

    .. math:: \rho_c = \frac{a_c}{a_{min} + a_{max}}, \quad a_c = \pi_c^{-p}

    where an empty class counts as one sample: all 0.5 for :math:`p = 0`.

    Args:
        class_counts (ndarray): Samples of each class, shape ``(C,)``.
        init_pow (float): p, 0 or more.
    """

    def __init__(self, class_counts: np.ndarray, init_pow: float) -> None:
        super().__init__()
        odds = inverse_frequency_weights(class_counts, init_pow)
        rates = torch.from_numpy(odds / (odds.min() + odds.max()))
        self.psi = nn.Parameter(rates.logit())

    def forward(self) -> Tensor:
        r""":math:`\rho`, float64, shape ``(C,)``."""
        return self.psi.sigmoid()
