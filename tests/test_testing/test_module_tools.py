"""What the checks of modules share."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from ltkit.testing import ConformanceError
from ltkit.testing.conformance import Part
from ltkit.testing.module_tools import (
    expect_close,
    expect_finite,
    expect_follows_device,
    expect_missing_counts,
    expect_no_graph_break,
    make_with_counts,
)
from ltkit.utils.errors import DistributionError


def test_missing_counts_are_named_with_the_part_that_needs_them():
    part = Part('loss', 'LDAMLoss')
    expect_missing_counts(DistributionError('LDAMLoss needs the class counts'), part)
    for error in (DistributionError('no counts'), RuntimeError('LDAMLoss')):
        with pytest.raises(ConformanceError, match='must raise DistributionError that names LDAMLoss, but raises'):
            expect_missing_counts(error, part)


def test_close_is_relative_above_one_and_absolute_below():
    expect_close(torch.tensor([1e6 + 1e-5, 1e-11]), torch.tensor([1e6, 0.0]), 'x')
    with pytest.raises(ConformanceError, match=r'x: 1\.1 and 1 differ by 0\.1'):
        expect_close(torch.tensor(1.1), torch.tensor(1.0), 'x')
    with pytest.raises(ConformanceError, match='differ by nan'):
        expect_close(torch.tensor(float('nan')), torch.tensor(1.0), 'x')
    with pytest.raises(ConformanceError, match='shape'):
        expect_close(torch.zeros(1), torch.zeros(2), 'x')


def test_finite():
    expect_finite(torch.zeros(3), 'it')
    with pytest.raises(ConformanceError, match='it is not finite: inf'):
        expect_finite(torch.tensor(float('inf')), 'it')


def test_counts_are_given_or_set():
    assert make_with_counts(Part('loss', 'BalancedSoftmaxLoss'), [3, 1]).class_counts.tolist() == [3, 1]
    assert not make_with_counts(Part('loss', 'BalancedSoftmaxLoss'), None).has_class_counts
    factory = Part('loss', lambda: Part('loss', 'BalancedSoftmaxLoss').make())
    assert make_with_counts(factory, [3, 1]).class_counts.tolist() == [3, 1]


class Breaks(nn.Module):

    def forward(self, x):
        return x if x.sum() > 0 else -x


class Plain(nn.Linear):
    """Moves as a whole."""


class Forgets(nn.Linear):

    def __init__(self, *args):
        super().__init__(*args)
        self.offset = torch.ones(1)

    def forward(self, x):
        return super().forward(x) + self.offset


def test_graph_breaks_are_seen():
    x = torch.ones(2, 3)
    layer = Plain(3, 2)
    expect_no_graph_break(layer, lambda module: module(x), layer(x))
    with pytest.raises(Exception, match=r'[Dd]ata-dependent'):
        expect_no_graph_break(Breaks(), lambda module: module(x), Breaks()(x))


def test_tensors_left_behind_are_seen():
    def call(module, device):
        return module(torch.ones(2, 3, device=device))
    expect_follows_device(lambda: Plain(3, 2), call)
    with pytest.raises(ConformanceError, match='a tensor that stayed behind'):
        expect_follows_device(lambda: Forgets(3, 2), call)


def test_forked_processes_can_compute_gradients_after_fake_tensors():
    """In a fresh process, where no other test has computed a gradient before."""
    code = """
import torch
from ltkit.testing.distributed import run_distributed
from torch._subclasses.fake_tensor import FakeTensorMode

def gradient(rank=0, world_size=1):
    x = torch.ones((), requires_grad=True)
    (2 * x).backward()
    return float(x.grad)

with FakeTensorMode():
    torch.ones(1)
assert gradient() == 2.0
assert run_distributed(gradient, 2) == [2.0, 2.0]
"""
    subprocess.run([sys.executable, '-c', code], check=True)
