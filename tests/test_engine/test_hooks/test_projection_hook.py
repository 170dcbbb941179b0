"""Tests of the call after each step of the optimizer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ltkit.engine.hooks import ProjectionHook
from ltkit.engine.runner import DEFAULT_HOOKS
from ltkit.models.heads import LongTailClsHead
from ltkit.structures import BatchedSamples
from ltkit.testing import run_distributed

SHORT = '''
model = dict(head=dict(regularizers=[dict(type='MaxNorm', threshold=0.5)]))
train_cfg = dict(max_epochs={epochs}, val_interval=9)
default_hooks = dict(checkpoint=dict(interval=1))
'''


class Recorder(nn.Module):
    """Writes down when it is called."""

    def __init__(self, every: str | None = None) -> None:
        super().__init__()
        self.calls: list[str] = []
        if every is not None:
            self.every = every

    def begin_projection(self) -> None:
        self.calls.append('begin')

    def project(self) -> None:
        self.calls.append('project')


def calls(part: Recorder, iterations: int = 6, first: int = 0, accumulation: int = 1, epoch: int = 3) -> list[str]:
    """What a part is told in training of some iterations from ``first`` on."""
    model = nn.ModuleList([part, nn.Linear(2, 2)])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wrapper = OptimWrapper(optimizer, accumulative_counts=accumulation)
    wrapper.initialize_count_status(model, first, first + iterations)
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, iter=first, train_dataloader=range(epoch))
    hook = ProjectionHook()
    hook.before_train(runner)
    for iteration in range(first, first + iterations):
        runner.iter = iteration
        wrapper.update_params(model[1](torch.ones(1, 2)).sum())
        hook.after_train_iter(runner, iteration % epoch)
    return part.calls


@pytest.mark.parametrize(('every', 'accumulation', 'wanted'), [
    (None, 1, 6), ('step', 1, 6), ('epoch', 1, 2), ('step', 2, 3), ('step', 3, 2), ('epoch', 3, 2)])
def test_after_each_step_or_epoch(every, accumulation, wanted):
    assert calls(Recorder(every), accumulation=accumulation) == ['begin'] + ['project'] * wanted


def test_a_resumed_run_does_not_begin_again():
    assert calls(Recorder(), first=3, iterations=2) == ['project'] * 2


def test_it_is_there_by_default_and_does_nothing_without_such_a_part():
    assert DEFAULT_HOOKS['projection'] == dict(type='ltkit.ProjectionHook')
    model = nn.Linear(2, 2)
    hook = ProjectionHook()
    hook.before_train(SimpleNamespace(model=model, iter=0))
    hook.after_train_iter(SimpleNamespace(), 0)  # asks the runner for nothing


def lengths(runner):
    return runner.model.head.classifier.weight.detach().norm(dim=1)


def test_in_a_run_the_radius_is_of_the_first_weights_and_a_resumed_run_keeps_it(small_run):
    whole = small_run.runner(SHORT.format(epochs=2), work_dir='whole')
    whole.train()
    bound = whole.model.head.regularizers['max_norm'].bounds
    assert lengths(whole).max() <= bound * (1 + 1e-6)
    assert (lengths(whole) > bound * (1 - 1e-6)).sum() > 1  # which bounds some
    part = small_run.runner(SHORT.format(epochs=1), work_dir='part')
    part.train()
    resumed = small_run.runner(SHORT.format(epochs=2), work_dir='part', resume=True)
    resumed.train()
    states = whole.model.state_dict(), resumed.model.state_dict()
    assert all(torch.equal(states[1][key], value) for key, value in states[0].items())


def trained(rank: int, world_size: int, parts: int = 1) -> tuple[list, list]:
    """Weights and bound after three steps on a batch that the processes, or accumulated parts, share."""
    torch.manual_seed(rank)
    head = LongTailClsHead(4, 3, regularizers=dict(type='MaxNorm', threshold=0.2)).double()
    generator = torch.Generator().manual_seed(5)
    features, labels = 5 * torch.randn(8, 3, generator=generator, dtype=torch.float64), torch.arange(8) % 4
    features, labels = features[rank::world_size], labels[rank::world_size]
    model = Loss(head)
    model = DistributedDataParallel(model, broadcast_buffers=False) if world_size > 1 else model
    optimizer = torch.optim.SGD(head.parameters(), lr=0.5)
    runner = SimpleNamespace(model=head, optim_wrapper=OptimWrapper(optimizer, accumulative_counts=parts), iter=0,
                             train_dataloader=range(3 * parts))
    runner.optim_wrapper.initialize_count_status(model, 0, 3 * parts)
    hook = ProjectionHook()
    hook.before_train(runner)
    for iteration in range(3 * parts):
        part = slice(iteration % parts, None, parts)
        runner.optim_wrapper.update_params(model(features[part], labels[part]))
        hook.after_train_iter(runner, 0)
    return head.classifier.weight.tolist(), head.regularizers['max_norm'].bounds.tolist()


class Loss(nn.Module):
    """The loss of a head as the forward of a module."""

    def __init__(self, head: LongTailClsHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, features, labels):
        return self.head.loss((features, ), BatchedSamples(labels))['loss']


def test_two_processes_are_one():
    alone = [torch.tensor(value, dtype=torch.float64) for value in trained(0, 1)]
    for weight, bound in run_distributed(trained, 2):
        assert (torch.tensor(weight, dtype=torch.float64) - alone[0]).abs().max() < 1e-12
        assert torch.equal(torch.tensor(bound, dtype=torch.float64), alone[1])
    assert (alone[0].norm(dim=1) - alone[1]).abs().min() < 1e-12


def test_accumulation_equals_the_large_batch():
    whole, parts = (torch.tensor(trained(0, 1, parts)[0], dtype=torch.float64) for parts in (1, 4))
    assert (whole - parts).abs().max() < 1e-12
