"""Tests of ltkit.models.backbones.bbn_resnet."""

from __future__ import annotations

import pytest
import torch

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


def build(kind='BBNResNet', **kwargs):
    return MODELS.build(dict(type=kind, **kwargs))


@pytest.mark.parametrize('kind, width', [('BBNResNet', (512, 512, 3, 3)), ('BBNResNeXt', (1024, 32, 3, 3))])
def test_50_layers(kind, width):
    net = build(kind, depth=50)
    assert len(net.layer4) == 2 and net.feat_dim == 2048
    for block in (net.conventional_block, net.rebalancing_block):
        assert block.conv2.weight.shape == width and block.conv3.weight.shape[0] == 2048
    with torch.no_grad():
        assert [tuple(x.shape) for x in net.eval()(torch.rand(1, 3, 64, 64))] == [(1, 2048, 2, 2)] * 2


@pytest.mark.parametrize('depth', [10, 18])
@pytest.mark.parametrize('branch', [0, 1])
def test_each_branch_is_the_plain_network(depth, branch):
    net, plain = build(depth=depth).eval(), build('ResNet', depth=depth).eval()
    last = f'layer4.{len(net.layer4)}.'
    kept, other = ('conventional_block.', 'rebalancing_block.')[::1 - 2 * branch]
    plain.load_state_dict({name.replace(kept, last): value for name, value in net.state_dict().items()
                           if not name.startswith(other)})
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(net(x)[branch], plain(x)[0])


def test_initialisation_reaches_both_branches():
    net = build(depth=50, zero_init_residual=True)
    net.init_weights()
    one, two = net.conventional_block, net.rebalancing_block
    assert not torch.equal(one.conv1.weight, two.conv1.weight)
    assert one.conv1.weight.std().item() == pytest.approx(two.conv1.weight.std().item(), rel=0.05)
    assert one.bn3.weight.abs().sum() == two.bn3.weight.abs().sum() == 0


def test_train_gives_the_network_back_and_keeps_stages_frozen():
    net = build(depth=18, frozen_stages=3)
    assert net.train() is net
    trained = {name.split('.')[0] for name, p in net.named_parameters() if p.requires_grad}
    assert trained == {'layer4', 'conventional_block', 'rebalancing_block'}


@pytest.mark.parametrize('kwargs, message', [
    (dict(depth=7), 'depth of ResNet must be one of'),
    (dict(depth=50, out_indices=(3, )), 'BBNResNet takes no out_indices'),
    (dict(kind='BBNResNeXt', depth=50, num_stages=3), 'BBNResNeXt takes no num_stages'),
    (dict(depth=10, frozen_stages=4), 'frozen_stages of BBNResNet must be at most 3, .* but is 4'),
])
def test_bad_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        build(**kwargs)
