"""Every config in the tree builds, trains a step and evaluates, on stand-in data.

Of the large networks one config a method trains in the quick tests; the others build there, and train with ``-m slow``.
So it is with methods that train as ERM does, or with another sampler: there the digits are enough.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from ltkit.apis import train
from ltkit.config import load_config
from ltkit.registry import DATASETS, MODELS, TRANSFORMS
from ltkit.testing.one_step import on_stand_in
from ltkit.utils.checkpoint import read_checkpoint

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
NAMES = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob('*.py')
               if not {'_base_', 'benchmarks'} & set(path.parts))
AS_ERM = re.compile(r'^(resampling|unoic|pc_softmax|tau_norm)/(?!r8_digits)|/(?!r8_digits).*_posthoc\.py')
QUICK = [name for name in NAMES if re.search(r'/(r8|r10|r32)_|/r50_imagenet_lt\.py', name) and not AS_ERM.search(name)]
SLOW = sorted(set(NAMES) - set(QUICK))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """One folder of generated data for all configs."""
    return tmp_path_factory.mktemp('stand_in')


@pytest.mark.parametrize('name', QUICK + [pytest.param(name, marks=pytest.mark.slow) for name in SLOW])
def test_config_trains_a_step(name, data, tmp_path):
    cfg = on_stand_in(load_config(str(CONFIGS / name)), data, batch_size=4)
    cfg.work_dir = str(tmp_path)
    results = train(cfg)
    assert 0 <= results['metrics']['accuracy/top1'] <= 100
    checkpoint = read_checkpoint(next(tmp_path.glob('*_1.pth')))
    assert checkpoint['meta']['iter'] == 1
    weights = [value for value in checkpoint['state_dict'].values() if torch.is_floating_point(value)]
    assert all(torch.isfinite(value).all() for value in weights)


@pytest.mark.parametrize('name', SLOW)
def test_config_builds(name):
    """The model and the steps of the pipelines."""
    cfg = load_config(str(CONFIGS / name))
    assert MODELS.build(cfg.model).head.num_classes in (10, 100, 365, 1000, 8142)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert [TRANSFORMS.build(step) for step in loader.dataset.pipeline]


@pytest.mark.parametrize('name', [name for name in NAMES if not name.startswith(('erm/', 'ride/'))])
def test_a_method_that_changes_one_thing_is_short(name):
    lines = [line for line in (CONFIGS / name).read_text().splitlines() if line and not line.startswith('#')]
    if name == 'balanced_softmax/r32_cifar100_lt_autoaugment.py':
        pytest.skip('it changes the whole recipe')
    assert len(lines) < 12, f'{name} has {len(lines)} lines'


@pytest.mark.parametrize('factor, total', [(100, 10847), (50, 12608), (10, 19573)])
def test_another_imbalance_is_one_line(factor, total, tmp_path, cifar100_root):
    child = tmp_path / 'child.py'
    child.write_text(f"_base_ = 'ltkit::erm/r32_cifar100_lt.py'\n"
                     f'train_dataloader = dict(dataset=dict(imbalance_factor={factor}))\n')
    dataset = dict(load_config(str(child)).train_dataloader.dataset, data_root=str(cifar100_root))
    assert DATASETS.build(dataset).class_distribution.total == total
