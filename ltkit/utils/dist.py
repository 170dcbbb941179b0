"""Sums over the processes of a distributed run."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from mmengine.dist import broadcast
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


def from_first_process(tensor: Tensor) -> Tensor:
    """The ``tensor`` of the first process, in all of them; every process has to call it."""
    if world_size() > 1:
        broadcast(tensor, src=0)
    return tensor


def mean_with_gradient(tensor: Tensor) -> Tensor:
    """Mean of ``tensor`` over all processes, through which gradients pass.

    What passes is the mean of the gradients of all processes. With the gradients of
    the parameters averaged over the processes, as DDP does, they are those of one
    process. Every process has to call it, and to compute the gradient.
    """
    return _MeanWithGradient.apply(tensor) if world_size() > 1 else tensor


class _MeanWithGradient(torch.autograd.Function):
    """Its own derivative: the mean of the gradients of all processes."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        return mean_over_processes(tensor)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _MeanWithGradient.apply(gradient)
