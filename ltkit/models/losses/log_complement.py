"""The logarithm of 1 - p."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def log_complement(log_prob: Tensor) -> Tensor:
    r"""Logarithm of the probability of all the other classes.

    .. math:: \log(1 - p_{ic}) = \log \sum_{k \ne c} p_{ik}

    Exact where p is near 1 as well: for the largest p, where the difference
    would cancel, it comes from the sum over the others.

    Args:
        log_prob (Tensor): :math:`\log p`, of a log-softmax, shape ``(N, C)``,
            float32 or float64.

    Returns:
        Tensor: Shape ``(N, C)``. Finite: with one class it is the lowest number
        of the dtype.
    """
    largest = F.one_hot(log_prob.argmax(dim=1), log_prob.size(1)).bool()
    lowest = torch.finfo(log_prob.dtype).min
    others = log_prob.masked_fill(largest, lowest).logsumexp(dim=1, keepdim=True)
    prob = log_prob.exp().masked_fill(largest, 0)
    return torch.where(largest, others, (-prob).log1p())
