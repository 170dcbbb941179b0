"""Tests of ltkit.utils.dist."""

from __future__ import annotations

import torch

from ltkit.testing.distributed import run_distributed
from ltkit.utils.dist import mean_over_processes, sum_over_processes, world_size


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
