"""Tests of ltkit.models.backbones.cifar_resnet."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.backbones import cifar_resnet
from ltkit.models.backbones.cifar_resnet import CIFARResNet, OptionAShortcut
from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


def parameters_by_hand(depth: int, in_channels: int, base: int) -> int:
    """Convolutions and two numbers a channel for each batch norm."""
    n = (depth - 2) // 6
    total = in_channels * base * 9 + 2 * base
    before = base
    for width in (base, 2 * base, 4 * base):
        for block in range(n):
            inputs = before if block == 0 else width
            total += inputs * width * 9 + width * width * 9 + 4 * width
        before = width
    return total


@pytest.mark.parametrize('depth', [8, 20, 32, 44, 56])
def test_named_networks_have_the_parameters_of_the_arithmetic(depth):
    net = MODELS.build(dict(type=f'ResNet{depth}'))
    assert isinstance(net, CIFARResNet) and net.depth == depth
    assert sum(p.numel() for p in net.parameters()) == parameters_by_hand(depth, 3, 16)


def test_resnet32_with_ten_classes_has_the_published_size():
    net = MODELS.build(dict(type='ResNet32'))
    assert sum(p.numel() for p in net.parameters()) + 64 * 10 + 10 == 464_154


def test_shapes_of_cifar_and_digits():
    cifar = MODELS.build(dict(type='ResNet20'))
    assert [tuple(x.shape) for x in cifar(torch.rand(2, 3, 32, 32))] == [(2, 64, 8, 8)]
    digits = MODELS.build(dict(type='ResNet8', in_channels=1))
    assert [tuple(x.shape) for x in digits(torch.rand(2, 1, 8, 8))] == [(2, 64, 2, 2)]
    assert digits.out_channels == digits.feat_dim == 64


def test_arguments_reach_the_named_networks():
    net = MODELS.build(dict(type='ResNet8', in_channels=1, base_channels=8, out_indices=(0, 2)))
    assert [tuple(x.shape) for x in net(torch.rand(2, 1, 8, 8))] == [(2, 8, 8, 8), (2, 32, 2, 2)]
    assert sum(p.numel() for p in net.parameters()) == parameters_by_hand(8, 1, 8)
    assert net.out_channels == 32


@pytest.mark.parametrize('inputs,outputs,stride',
                         [(16, 32, 2), (16, 24, 2), (24, 48, 2), (3, 6, 1), (4, 7, 2)])
def test_shortcut_against_a_plain_reference(inputs, outputs, stride):
    x = torch.randn(2, inputs, 7, 6)
    got = OptionAShortcut(inputs, outputs, stride)(x)
    shift = (outputs - inputs) // 2
    assert got.shape == (2, outputs, -(-7 // stride), -(-6 // stride))
    for c in range(outputs):
        for row in range(got.size(2)):
            for column in range(got.size(3)):
                inside = 0 <= c - shift < inputs
                want = x[:, c - shift, row * stride, column * stride] if inside else torch.zeros(2)
                assert torch.equal(got[:, c, row, column], want)


def test_shortcut_refuses_to_narrow():
    with pytest.raises(ConfigError, match='reduce 32 channels to 16'):
        OptionAShortcut(32, 16, 1)


def test_block_is_the_equation():
    block = cifar_resnet.BasicBlock(4, 8, 2).eval()
    x = torch.randn(3, 4, 6, 6)
    y = torch.relu(block.bn1(block.conv1(x)))
    want = torch.relu(block.bn2(block.conv2(y)) + OptionAShortcut(4, 8, 2)(x))
    assert torch.equal(block(x), want)
    assert isinstance(cifar_resnet.BasicBlock(4, 4).shortcut, torch.nn.Identity)


def test_initialisation_is_hes_normal_over_the_fan_in():
    torch.manual_seed(0)
    weight = MODELS.build(dict(type='ResNet32')).layer3[2].conv1.weight
    assert weight.std().item() == pytest.approx((2 / (64 * 9))**0.5, rel=0.03)
    assert abs(weight.mean().item()) < 1e-3


def test_init_weights_of_mmengine_keeps_the_initialisation():
    net = MODELS.build(dict(type='ResNet8'))
    before = net.conv1.weight.clone()
    net.init_weights()
    assert torch.equal(net.conv1.weight, before)


def test_group_norm_leaves_no_batch_statistics():
    net = MODELS.build(dict(type='ResNet8', norm_cfg=dict(type='GN', num_groups=8)))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    x = torch.rand(4, 3, 16, 16)
    assert torch.allclose(net(x)[0][:2], net(x[:2])[0], atol=1e-5)


def test_compiled_equals_eager():
    net = MODELS.build(dict(type='ResNet8', in_channels=1))
    x = torch.rand(2, 1, 8, 8)
    with torch.no_grad():
        assert torch.allclose(torch.compile(net.eval(), backend='eager', fullgraph=True)(x)[0], net(x)[0])


@pytest.mark.parametrize('depth', [2, 7, 18, 50.5])
def test_depth_out_of_range(depth):
    with pytest.raises(ConfigError, match='6 n \\+ 2'):
        CIFARResNet(depth)


def test_out_indices_out_of_range():
    with pytest.raises(ConfigError, match='out_indices'):
        CIFARResNet(8, out_indices=(3, ))


@pytest.mark.parametrize('name', ['ResNet8', 'RIDEResNet8'])
def test_images_of_other_channels_are_refused(name):
    with pytest.raises(ConfigError, match='in_channels is 3, but the images have 1 channels; set in_channels=1'):
        MODELS.build(dict(type=name))(torch.zeros(2, 1, 8, 8))
