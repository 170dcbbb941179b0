"""Tests of the statistics of batch normalisation over the processes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from ltkit.engine.hooks import SyncStatisticsHook
from ltkit.testing.distributed import run_distributed


def _model(rank: int) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.BatchNorm2d(2, track_running_stats=False))
    model.register_buffer('class_counts', torch.tensor([5, 1]))
    model.register_buffer('other', torch.tensor(float(rank)))
    generator = torch.Generator().manual_seed(rank)
    model(torch.randn(4, 1, 3, 3, generator=generator) * (rank + 1))
    return model


def _synced(rank: int, world_size: int) -> tuple[dict, dict]:
    model = _model(rank)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    SyncStatisticsHook().after_train_epoch(SimpleNamespace(model=model))
    return before, dict(model.state_dict())


def test_running_statistics_are_averaged_and_nothing_else():
    (before_0, after_0), (before_1, after_1) = run_distributed(_synced)
    for key in ('1.running_mean', '1.running_var'):
        assert not torch.equal(before_0[key], before_1[key])
        assert torch.equal(after_0[key], after_1[key])
        assert torch.allclose(after_0[key], (before_0[key] + before_1[key]) / 2)
    for before, after in ((before_0, after_0), (before_1, after_1)):
        for key in set(before) - {'1.running_mean', '1.running_var'}:
            assert torch.equal(before[key], after[key]), key


def test_one_process_changes_nothing():
    before, after = _synced(0, 1)
    assert all(torch.equal(before[key], after[key]) for key in before)


class Counted(nn.Linear):
    """A running mean of its own."""

    averaged_buffers = ('mean', )

    def __init__(self, value: float = 0.0) -> None:
        super().__init__(2, 2)
        self.register_buffer('mean', torch.full((2, ), value))
        self.told: list[tuple[float, int, int]] = []

    def begin_batch(self, learning_rate: float, position: int, batches: int) -> None:
        self.told.append((learning_rate, position, batches))


def _named(rank: int, world_size: int) -> dict:
    model = nn.Sequential(Counted(float(rank)), nn.BatchNorm1d(2))
    model[1].running_mean += rank
    model[1].statistics_frozen = True
    SyncStatisticsHook.average(SimpleNamespace(model=model))
    return dict(model.state_dict())


def test_named_buffers_are_averaged_and_frozen_statistics_are_not():
    for rank, state in enumerate(run_distributed(_named)):
        assert state['0.mean'].tolist() == [0.5, 0.5]
        assert state['1.running_mean'].tolist() == [rank, rank]


def test_a_module_is_told_its_learning_rate_and_the_place_of_the_batch_in_the_step():
    model = nn.ModuleList([nn.Linear(2, 2), Counted(), Counted()])
    for parameter in model[2].parameters():
        parameter.requires_grad_(False)
    groups = [dict(params=model[0].parameters(), lr=0.3), dict(params=model[1].parameters())]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    runner = SimpleNamespace(model=model, iter=0, optim_wrapper=OptimWrapper(optimizer, accumulative_counts=2))
    hook = SyncStatisticsHook()
    hook.before_train(runner)
    for runner.iter in range(3):
        hook.before_train_iter(runner, runner.iter)
        optimizer.param_groups[1]['lr'] /= 10
    assert model[1].told == [(0.1, 0, 2), (pytest.approx(0.01), 1, 2), (pytest.approx(0.001), 0, 2)]
    assert model[2].told[0] == (0.3, 0, 2)
