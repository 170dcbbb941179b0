"""A few registered parts, and a way to write configs."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest
from mmengine.hooks import Hook
from mmengine.model import BaseModel, BaseModule
from torch import nn

from ltkit.registry import DATASETS, HOOKS, MODELS, SAMPLERS, TRANSFORMS


class ToyModel(BaseModel):
    def __init__(self, head, train_cfg=None, **kwargs):
        super().__init__(**kwargs)


class ToyHead(BaseModule):
    def __init__(self, num_classes, loss, depth, posthoc=None, norm_cfg=None, init_cfg=None):
        super().__init__(init_cfg)


class ToyLoss(nn.Module):
    def __init__(self, max_margin=0.5, drw=None):
        super().__init__()


class ToyOpenLoss(nn.Module):
    def __init__(self, **kwargs):
        super().__init__()
        self.settings = kwargs


class ToyBalancedLoss(ToyLoss):
    prior_correction = 1.0


class ToyTauLoss(nn.Module):
    prior_correction = 'tau'

    def __init__(self, tau=1.0):
        super().__init__()


class ToyTableLoss(nn.Module):
    prior_correction = {'weighting': {'inverse': 1.0, 'sqrt': 0.5}}

    def __init__(self, weighting='sqrt', drw=None):
        super().__init__()


class ToyDataset:
    def __init__(self, data_root, split='train', pipeline=()):
        pass


class ToySampler:
    prior_correction = 1.0

    def __init__(self, dataset, seed=None, shuffle=True):
        pass


class ToyHalfSampler(ToySampler):
    prior_correction = 0.5


class ToyTransform:
    def __init__(self, size):
        pass


class ToyHook(Hook):
    def __init__(self, period=1):
        pass


PARTS = {
    MODELS: (ToyModel, ToyHead, ToyLoss, ToyOpenLoss, ToyBalancedLoss, ToyTauLoss, ToyTableLoss),
    DATASETS: (ToyDataset,),
    SAMPLERS: (ToySampler, ToyHalfSampler),
    TRANSFORMS: (ToyTransform,),
    HOOKS: (ToyHook,),
}

BASE = """\
default_scope = 'ltkit'
num_classes = 10
train_pipeline = [dict(type='ToyTransform', size=32)]
dataset = dict(type='ToyDataset', data_root='data', pipeline=train_pipeline)
model = dict(
    type='ToyModel',
    head=dict(type='ToyHead', num_classes=num_classes, depth=2,
              loss=dict(type='ToyLoss', max_margin=0.5)))
train_dataloader = dict(batch_size=4, dataset=dataset, sampler=dict(type='ToySampler'))
train_cfg = dict(by_epoch=True, max_epochs=2)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
default_hooks = dict(timer=dict(type='IterTimerHook'))
"""


@pytest.fixture(autouse=True)
def _parts():
    """Register the parts for the time of a test."""
    for registry, classes in PARTS.items():
        for cls in classes:
            registry.register_module(module=cls)
    yield
    for registry, classes in PARTS.items():
        for cls in classes:
            registry._module_dict.pop(cls.__name__)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file below the current folder, which is a temporary one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    loaded = set(sys.modules)

    def _write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding='utf-8')
        return path

    yield _write
    for name in set(sys.modules) - loaded:
        if getattr(sys.modules[name], '__file__', None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.fixture
def base(write):
    """A sound config, ``base.py``."""
    return write('base.py', BASE)
