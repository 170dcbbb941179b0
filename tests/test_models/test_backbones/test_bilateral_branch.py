"""Tests of ltkit.models.backbones.bilateral_branch."""

from __future__ import annotations

import torch
from torch import nn

from ltkit.models.backbones import BilateralBranchMixin


class Plain(nn.Module):
    """Two blocks."""

    def __init__(self):
        super().__init__()
        self.stage = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)))

    def forward(self, x):
        return (self.stage(x), )


class Two(BilateralBranchMixin, Plain):

    def __init__(self):
        super().__init__()
        self.split_last_block('stage')


def test_the_last_block_exists_twice():
    net = Two()
    assert len(net.stage) == 1
    one, two = net.conventional_block, net.rebalancing_block
    assert one is not two and not torch.equal(one[0].weight, two[0].weight)
    assert {name for name, _ in net.named_parameters()} == {
        f'{place}.{name}' for place in ('conventional_block.0', 'conventional_block.1', 'rebalancing_block.0',
                                        'rebalancing_block.1', 'stage.0') for name in ('weight', 'bias')}


def test_both_maps_of_all_images():
    net, x = Two().eval(), torch.rand(5, 1, 4, 4)
    one, two = net(x)
    assert torch.equal(one, net.conventional_block(net.stage(x)))
    assert torch.equal(two, net.rebalancing_block(net.stage(x)))
    assert torch.equal(net.forward_shared(x), net.stage(x))


def test_each_image_of_a_pair_in_its_branch():
    net, x = Two().eval(), torch.rand(6, 1, 4, 4)
    both, pairs = net(x), net.forward_pairs(x)
    assert all(torch.equal(pair, each[branch::2]) for branch, (pair, each) in enumerate(zip(pairs, both)))
    sum(part.sum() for part in pairs).backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_batch_statistics_are_of_one_branch_at_a_time():
    net = Two()
    x = torch.rand(6, 1, 4, 4)
    one, two = net.train().forward_pairs(x)
    for out in (one, two):
        assert torch.allclose(out.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert int(net.conventional_block[1].num_batches_tracked) == int(net.rebalancing_block[1].num_batches_tracked) == 1
