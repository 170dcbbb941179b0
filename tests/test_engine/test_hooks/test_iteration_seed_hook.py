"""Tests of random numbers that a resumed run draws again."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import torch

from ltkit.engine.hooks import IterationSeedHook


def _draws(seed: int = 0, iteration: int = 5, rank: int = 0, diff_rank_seed: bool = False,
           epoch: bool = False) -> tuple:
    runner = SimpleNamespace(seed=seed, iter=iteration, rank=rank,
                             _randomness_cfg=dict(diff_rank_seed=diff_rank_seed))
    hook = IterationSeedHook()
    hook.before_train_epoch(runner) if epoch else hook.before_train_iter(runner, 0)
    return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002


def test_draws_depend_on_seed_and_iteration_alone():
    first = _draws()
    torch.rand(100)
    assert _draws() == first
    others = [_draws(seed=1), _draws(iteration=6), _draws(epoch=True)]
    for other in others:
        assert all(a != b for a, b in zip(first, other))
    assert len({*first}) == 3


def test_processes_draw_alike_unless_told_otherwise():
    assert _draws(rank=1) == _draws(rank=0)
    assert _draws(rank=1, diff_rank_seed=True) != _draws(rank=0, diff_rank_seed=True)
    assert _draws(rank=0, diff_rank_seed=True) == _draws()
