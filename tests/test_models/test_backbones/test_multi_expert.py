"""Tests of ltkit.models.backbones.multi_expert."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ltkit.models.backbones.multi_expert import MultiExpertMixin, check_num_experts, drop_path_rates, reduced
from ltkit.utils.errors import ConfigError


class Tiny(MultiExpertMixin, nn.Module):

    def __init__(self, num_experts):
        super().__init__()
        self.trunk = nn.Conv2d(1, 2, 1)
        self.calls = 0
        self.init_experts([nn.Conv2d(2, 3, 1) for _ in range(num_experts)])

    def forward_shared(self, x):
        self.calls += 1
        return self.trunk(x)


def test_the_trunk_runs_once_and_each_expert_sees_its_map():
    net = Tiny(3)
    x = torch.rand(2, 1, 4, 4)
    outs = net(x)
    assert net.num_experts == len(outs) == 3 and net.calls == 1
    shared = net.forward_shared(x)
    for e, out in enumerate(outs):
        assert torch.equal(out, net.experts[e](shared))
        assert torch.equal(out, net.forward_expert(shared, e))


def test_a_trunk_is_needed():
    class NoTrunk(MultiExpertMixin, nn.Module):
        pass

    with pytest.raises(NotImplementedError, match='NoTrunk must define forward_shared'):
        NoTrunk()(torch.rand(1, 1, 2, 2))


def test_no_expert_is_refused():
    with pytest.raises(ConfigError, match='at least 1'):
        Tiny(0)


def test_reduced_is_three_quarters():
    assert [reduced(c, True) for c in (32, 64, 256, 512)] == [24, 48, 192, 384]
    assert reduced(64, False) == 64


@pytest.mark.parametrize('number', [0, -1, 2.0, True, '3'])
def test_num_experts_out_of_range(number):
    with pytest.raises(ConfigError, match='num_experts'):
        check_num_experts(number)


def test_drop_path_rates_rise_linearly():
    assert drop_path_rates(0.3, 4) == pytest.approx([0, 0.1, 0.2, 0.3])
