"""Tests of ltkit.models.losses.uniform_rows."""

from __future__ import annotations

import torch

from ltkit.models.losses.uniform_rows import uniform_rows
from ltkit.testing import run_distributed


def test_one_process_draws_its_batch():
    torch.manual_seed(3)
    expected = torch.rand(5, 4)
    torch.manual_seed(3)
    assert torch.equal(uniform_rows(torch.zeros(5, 4, dtype=torch.float64)), expected)


def test_processes_draw_their_rows_of_one_batch():
    """Of eleven samples over three processes, dealt as the samplers deal them, one process has fewer."""
    whole = _rows(0, 1)
    for rank, part in enumerate(run_distributed(_rows, 3)):
        assert (part == whole[rank::3]).all()


def _rows(rank, world_size):
    torch.manual_seed(3)
    return uniform_rows(torch.zeros(len(range(rank, 11, world_size)), 7)).numpy()
