"""Sums over the processes of a distributed run."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """The number of processes; 1 outside a distributed run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


@torch.no_grad()
def sum_over_processes(tensor: Tensor) -> Tensor:
    """Sum of ``tensor`` over all processes, of its shape, without gradient.

    Every process has to call it, with tensors of one shape and dtype.
    """
    total = tensor.detach().clone()
    if world_size() > 1:
        dist.all_reduce(total)
    return total


def mean_over_processes(tensor: Tensor) -> Tensor:
    """Mean of ``tensor`` over all processes; see :func:`sum_over_processes`."""
    return sum_over_processes(tensor) / world_size()
