"""Tests of telling the epoch."""

from __future__ import annotations

from types import SimpleNamespace

from torch import nn

from ltkit.engine.hooks import EpochHook


class Told(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[tuple[int, int]] = []

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        self.epochs.append((epoch, max_epochs))


def _run(model: nn.Module, first: int = 0, last: int = 12, steps: int = 4) -> None:
    runner = SimpleNamespace(model=model, train_dataloader=range(steps), max_iters=last, iter=first)
    hook = EpochHook()
    hook.before_train(runner)
    while runner.iter < last:
        hook.before_train_iter(runner, batch_idx=runner.iter % steps)
        runner.iter += 1


def test_each_module_is_told_once_an_epoch():
    model = nn.Sequential(Told(), nn.Sequential(Told(), nn.Linear(1, 1)))
    _run(model)
    assert model[0].epochs == model[1][0].epochs == [(0, 3), (1, 3), (2, 3)]


def test_after_resuming_the_epoch_is_told_at_once():
    for first in (4, 6):
        model = nn.Sequential(Told())
        _run(model, first)
        assert model[0].epochs == [(1, 3), (2, 3)]


def test_a_last_epoch_that_is_cut_counts():
    model = nn.Sequential(Told())
    _run(model, last=9)
    assert model[0].epochs[-1] == (2, 3)


def test_in_a_run(small_run):
    runner = small_run.runner('train_cfg = dict(max_epochs=2, val_interval=2)')
    runner.model.told = Told()
    runner.train()
    assert runner.model.told.epochs == [(0, 2), (1, 2)]
