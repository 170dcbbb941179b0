"""Tests of the statistics of batch normalisation over the processes."""

from __future__ import annotations

from types import SimpleNamespace

import torch
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
