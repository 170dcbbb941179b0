"""Tests of ltkit.models.backbones.resnet."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from mmengine.registry import MODELS as ROOT
from mmengine.registry import DefaultScope

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


def test_resnet10_is_one_basic_block_a_stage():
    net = MODELS.build(dict(type='ResNet', depth=10))
    with torch.no_grad():
        (out, ) = net(torch.rand(2, 3, 64, 64))
    assert out.shape == (2, 512, 2, 2)

    def block(inputs, width, stride):
        shortcut = inputs * width + 2 * width if stride == 2 else 0
        return 9 * inputs * width + 9 * width**2 + 4 * width + shortcut

    want = 3 * 64 * 49 + 128 + block(64, 64, 1) + block(64, 128, 2) + block(128, 256, 2) + block(256, 512, 2)
    assert sum(p.numel() for p in net.parameters()) == want


def test_a_last_stage_of_twice_the_width():
    net = MODELS.build(dict(type='ResNet', depth=10, last_stage_width=2))
    assert net.feat_dim == 1024
    assert net.layer4[0].conv1.weight.shape == (1024, 256, 3, 3)
    assert net.layer3[0].conv1.weight.shape == (256, 128, 3, 3)
    with torch.no_grad():
        assert net.eval()(torch.rand(1, 3, 32, 32))[0].shape == (1, 1024, 1, 1)
    with pytest.raises(ConfigError, match='last_stage_width must be a whole number above 0, but is 0'):
        MODELS.build(dict(type='ResNet', depth=10, last_stage_width=0))


def test_it_is_found_under_the_default_scope_and_mmpretrains_own_stays():
    with DefaultScope.overwrite_default_scope('ltkit'):
        ours = ROOT.build(dict(type='ResNet', depth=10, norm_cfg=dict(type='GN', num_groups=4)))
        theirs = ROOT.build(dict(type='mmpretrain.ResNet', depth=18))
    assert type(ours).__module__ == 'ltkit.models.backbones.resnet'
    assert isinstance(ours.norm1, torch.nn.GroupNorm)
    assert type(theirs).__module__.startswith('mmpretrain.')


def test_resnext50_is_32x4d():
    net = MODELS.build(dict(type='ResNeXt', depth=50))
    assert net.layer1[0].conv2.groups == 32 and net.layer1[0].conv2.weight.shape == (128, 4, 3, 3)
    assert net.feat_dim == 2048
    assert net.eval() is net and not net.layer1.training and net.train() is net


@pytest.mark.parametrize('name', ['ResNet', 'ResNeXt'])
def test_depth_out_of_range(name):
    with pytest.raises(ConfigError, match=f'depth of {name} must be one of .*50.* but is 7'):
        MODELS.build(dict(type=name, depth=7))


def test_mmpretrain_is_imported_when_a_config_names_it_and_without_a_warning():
    code = '''
import sys, warnings
warnings.simplefilter('error', UserWarning)
import ltkit.models
from ltkit.registry import MODELS
assert 'ResNet' in MODELS.names() and 'RIDEResNet' in MODELS.names()
assert not [m for m in sys.modules if m.split('.')[0] in ('mmpretrain', 'torchvision', 'mmcv')]
MODELS.get('ResNet')
assert 'mmpretrain' in sys.modules
'''
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
