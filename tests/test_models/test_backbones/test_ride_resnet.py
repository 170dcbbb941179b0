"""Tests of ltkit.models.backbones.ride_resnet."""

from __future__ import annotations

import pytest
import torch

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


def build(**kwargs):
    return MODELS.build({**dict(type='RIDEResNet'), **kwargs})


def test_resnet50_experts_have_1536_channels():
    net = build(depth=50, num_experts=2)
    assert net.out_channels == net.feat_dim == 1536 and net.num_experts == 2
    assert net.experts[0].layer3[0].conv1.weight.shape == (192, 512, 1, 1)
    assert net.experts[0].layer4[0].conv3.weight.shape == (1536, 384, 1, 1)
    assert [len(net.experts[1].layer3), len(net.experts[1].layer4)] == [6, 3]
    assert not hasattr(net, 'layer3')
    with torch.no_grad():
        assert [tuple(x.shape) for x in net.eval()(torch.rand(1, 3, 64, 64))] == [(1, 1536, 2, 2)] * 2


def test_resnext50_keeps_groups_and_width():
    net = build(type='RIDEResNeXt', depth=50, num_experts=1)
    assert net.layer1[0].conv2.weight.shape == (128, 4, 3, 3)
    assert net.experts[0].layer3[0].conv2.groups == 32
    assert net.experts[0].layer3[0].conv2.weight.shape == (384, 12, 3, 3)
    assert net.out_channels == 1536


def test_one_unreduced_expert_is_the_plain_network():
    ride = build(depth=10, num_experts=1, reduce_dimension=False).eval()
    plain = MODELS.build(dict(type='ResNet', depth=10)).eval()
    plain.load_state_dict({k.replace('experts.0.', ''): v for k, v in ride.state_dict().items()})
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ride(x)[0], plain(x)[0])


def test_gradients_reach_all_experts_and_the_stem():
    net = build(depth=10, base_channels=16, stem_channels=16)
    sum(out.square().mean() for out in net(torch.rand(2, 3, 32, 32))).backward()
    assert all(p.grad is not None for p in net.parameters())
    assert net.conv1.weight.grad.abs().sum() > 0


def test_drop_path_rises_over_the_whole_depth():
    net = build(depth=10, num_experts=1, drop_path_rate=0.3)
    rates = [getattr(block.drop_path, 'drop_prob', 0) for block in
             (net.layer1[0], net.layer2[0], net.experts[0].layer3[0], net.experts[0].layer4[0])]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize('kwargs,message', [
    (dict(depth=7), 'depth of RIDEResNet'),
    (dict(depth=10, num_experts=0), 'num_experts'),
    (dict(depth=10, groups=32), 'bottleneck'),
    (dict(depth=10, strides=(1, 2)), 'strides of RIDEResNet must have 4'),
    (dict(depth=10, frozen_stages=3), 'frozen_stages'),
    (dict(depth=10, out_indices=(3, )), 'takes no out_indices'),
])
def test_errors(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        build(**kwargs)
