"""Tests of ltkit.models.backbones.multi_expert_cifar_resnet."""

from __future__ import annotations

import pytest
import torch

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


def stage_by_hand(inputs: int, width: int, blocks: int) -> int:
    first = inputs * width * 9 + width * width * 9 + 4 * width
    return first + (blocks - 1) * (2 * width * width * 9 + 4 * width)


@pytest.mark.parametrize('name,blocks', [('RIDEResNet8', 1), ('RIDEResNet32', 5)])
@pytest.mark.parametrize('reduce_dimension,middle,last', [(True, 24, 48), (False, 32, 64)])
def test_parameters_of_the_arithmetic(name, blocks, reduce_dimension, middle, last):
    net = MODELS.build(dict(type=name, num_experts=2, reduce_dimension=reduce_dimension))
    trunk = 3 * 16 * 9 + 32 + stage_by_hand(16, 16, blocks)
    expert = stage_by_hand(16, middle, blocks) + stage_by_hand(middle, last, blocks)
    assert sum(p.numel() for p in net.parameters()) == trunk + 2 * expert
    assert net.out_channels == net.feat_dim == last


def test_one_map_an_expert():
    net = MODELS.build(dict(type='RIDEResNet8', in_channels=1, num_experts=4))
    outs = net(torch.rand(2, 1, 8, 8))
    assert [tuple(x.shape) for x in outs] == [(2, 48, 2, 2)] * 4
    assert net.num_experts == 4
    assert not torch.equal(outs[0], outs[1])


def test_one_unreduced_expert_is_the_plain_network():
    ride = MODELS.build(dict(type='RIDEResNet8', num_experts=1, reduce_dimension=False)).eval()
    plain = MODELS.build(dict(type='ResNet8')).eval()
    state = {k.replace('experts.0.0.', 'layer2.').replace('experts.0.1.', 'layer3.'): v
             for k, v in ride.state_dict().items()}
    plain.load_state_dict(state)
    x = torch.rand(2, 3, 16, 16)
    assert torch.equal(ride(x)[0], plain(x)[0])


def test_gradients_reach_the_own_expert_and_the_shared_stem():
    net = MODELS.build(dict(type='RIDEResNet8'))
    net(torch.rand(2, 3, 16, 16))[1].square().mean().backward()
    assert net.conv1.weight.grad.abs().sum() > 0 and net.layer1[0].conv1.weight.grad.abs().sum() > 0
    assert [net.experts[e][0][0].conv1.weight.grad is not None for e in range(3)] == [False, True, False]


def test_errors():
    with pytest.raises(ConfigError, match='num_experts'):
        MODELS.build(dict(type='RIDEResNet8', num_experts=0))
    with pytest.raises(ConfigError, match='depth'):
        MODELS.build(dict(type='MultiExpertCIFARResNet', depth=18))
