"""Tests of ltkit.models.backbones.bilateral_branch_cifar_resnet."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.backbones import BilateralBranchCIFARResNet, CIFARResNet
from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


@pytest.mark.parametrize('depth', [8, 32])
@pytest.mark.parametrize('branch', ['conventional_block', 'rebalancing_block'])
def test_each_branch_is_the_plain_network(depth, branch):
    net = MODELS.build(dict(type=f'BBNResNet{depth}', in_channels=1)).eval()
    plain = CIFARResNet(depth, in_channels=1).eval()
    last = len(plain.layer3) - 1
    assert len(net.layer3) == last
    state = {name.replace(branch, f'layer3.{last}'): value for name, value in net.state_dict().items()}
    unused = {name for name in state if name.endswith('weight') and '_block' in name}
    plain.load_state_dict({name: value for name, value in state.items() if '_block' not in name})
    assert len(unused) == 4  # of the other branch
    x = torch.rand(2, 1, 8, 8)
    with torch.no_grad():
        maps = net(x)
        assert [tuple(out.shape) for out in maps] == [(2, 64, 2, 2)] * 2
        assert torch.equal(maps[branch == 'rebalancing_block'], plain(x)[0])
    assert net.out_channels == net.feat_dim == 64


def test_the_shared_part_has_the_names_of_the_plain_network():
    plain, net = CIFARResNet(32).state_dict(), MODELS.build(dict(type='BBNResNet32')).state_dict()
    shared = {name for name in net if '_block' not in name}
    assert shared == {name for name in plain if not name.startswith('layer3.4.')}


def test_weights_of_both_branches_are_drawn_by_he():
    torch.manual_seed(0)
    net = BilateralBranchCIFARResNet(32)
    for block in (net.conventional_block, net.rebalancing_block):
        assert block.conv1.weight.std().item() == pytest.approx((2 / (9 * 64))**0.5, rel=0.05)
    assert not torch.equal(net.conventional_block.conv1.weight, net.rebalancing_block.conv1.weight)


def test_other_arguments():
    net = BilateralBranchCIFARResNet(8, in_channels=1, base_channels=8, norm_cfg=dict(type='GN', num_groups=4))
    assert net.out_channels == 32
    assert type(net.rebalancing_block.bn1).__name__ == 'GroupNorm'
    for message, x in (('depth of a CIFAR ResNet', None), ('in_channels is 1', torch.rand(2, 3, 8, 8))):
        with pytest.raises(ConfigError, match=message):
            BilateralBranchCIFARResNet(9) if x is None else net.forward_pairs(x)


def test_gradients_reach_both_branches_and_the_stem():
    net = BilateralBranchCIFARResNet(8)
    sum(out.square().mean() for out in net.forward_pairs(torch.rand(4, 3, 8, 8))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters() if p.dim() > 1)
