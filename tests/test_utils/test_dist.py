"""Tests of ltkit.utils.dist."""

from __future__ import annotations

import torch

from ltkit.testing.distributed import run_distributed
from ltkit.utils.dist import (
    from_first_process,
    mean_over_processes,
    mean_with_gradient,
    sum_over_processes,
    world_size,
)


def sums(rank, processes):
    tensor = torch.tensor([1.0, rank])
    results = sum_over_processes(tensor).tolist(), mean_over_processes(tensor).tolist(), world_size()
    assert tensor.tolist() == [1, rank]
    return results


def test_two_processes():
    assert run_distributed(sums, 2) == [([2, 1], [1, 0.5], 2)] * 2


def test_alone():
    tensor = torch.ones(3, requires_grad=True)
    total = sum_over_processes(tensor)
    assert total.tolist() == mean_over_processes(tensor).tolist() == [1, 1, 1]
    assert not total.requires_grad
    assert world_size() == 1


def first_of(rank, processes):
    return from_first_process(torch.tensor([1.0, rank])).tolist()


def test_the_tensor_of_the_first_process():
    assert run_distributed(first_of, 2) == [[1, 0]] * 2
    assert first_of(5, 1) == [1, 5]


def ratio_gradient(rank, processes):
    """Of a sum over the samples of all processes, divided by another."""
    parameter = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    samples = torch.tensor([1.0, 2.0, 4.0, 7.0], dtype=torch.float64)[rank::processes] ** parameter
    value = (samples ** 2).sum() / mean_with_gradient(samples.sum())
    (first,) = torch.autograd.grad(value, parameter)
    return first.item()


def test_gradient_through_a_mean():
    assert abs(sum(run_distributed(ratio_gradient, 2)) / 2 - ratio_gradient(0, 1)) < 1e-12
