"""From the losses of samples to one number."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ltkit.utils.dist import mean_over_processes
from ltkit.utils.errors import ConfigError

REDUCTIONS = ('none', 'mean', 'sum')


def check_reduction(reduction: str) -> str:
    """Return ``reduction``, or raise :class:`ConfigError` when it is none of ``REDUCTIONS``."""
    if reduction not in REDUCTIONS:
        raise ConfigError(f"reduction must be one of {', '.join(REDUCTIONS)}, but is '{reduction}'")
    return reduction


@dataclass(frozen=True)
class Reduction:
    """How the losses of the samples of a batch become one number.

    Args:
        kind (str): ``'none'``, ``'mean'`` or ``'sum'``.
        weight (Tensor, optional): A factor for each sample, shape ``(N,)``. It
            does not enter the divisor of the mean (as in mmpretrain).
        avg_factor (float or Tensor, optional): Divisor of the mean, instead of
            the number of samples or the sum of class weights.
        over_processes (bool): Whether the sum of class weights is averaged over
            the processes. Defaults to True.
    """

    kind: str = 'mean'
    weight: Tensor | None = None
    avg_factor: float | Tensor | None = None
    over_processes: bool = True

    def __call__(self, losses: Tensor, class_weights: Tensor | None = None) -> Tensor:
        r"""Reduce losses that carry their class weights already.

        The mean with class weights is :math:`\sum_i w_{y_i} l_i / \sum_i w_{y_i}`.
        Under DDP, which averages gradients, each of R processes divides its own
        sum by :math:`\frac1R` of the divisor of all processes, so that the
        gradient is that of one process with the whole batch. Weights that are all
        1 give the plain mean to the last bit.

        Args:
            losses (Tensor): :math:`w_{y_i} l_i`, shape ``(N,)``.
            class_weights (Tensor, optional): :math:`w_{y_i}`, shape ``(N,)``.

        Returns:
            Tensor: A scalar, or shape ``(N,)`` for the kind ``'none'``.
        """
        if self.weight is not None:
            losses = losses * self.weight
        if self.kind == 'none':
            return losses
        total = _sum(losses)
        if self.kind == 'sum':
            return total
        if self.avg_factor is not None:
            return total / self.avg_factor
        if class_weights is None:
            return total / losses.new_full((), len(losses))
        divisor = class_weights.sum()
        return total / (mean_over_processes(divisor) if self.over_processes else divisor)


def _sum(losses: Tensor) -> Tensor:
    """The sum in the order in which ``F.cross_entropy`` adds: the mean is its, to the last bit."""
    return F.nll_loss(-losses[:, None], losses.new_zeros(len(losses), dtype=torch.int64), reduction='sum')
