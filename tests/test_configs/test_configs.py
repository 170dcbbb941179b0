"""Every config in the tree builds, trains a step and evaluates, on stand-in data.

Those of a size for a CPU, and some of the large networks, train in the quick tests; the others build there, and train
with ``-m slow``.
So it is with methods that train as ERM does, or with another sampler: there the digits are enough.
Of a config with stages each is built and trained a step, from the weights of the one before.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from ltkit.apis import train, train_stages
from ltkit.config import load_config
from ltkit.config.stages import load_stages
from ltkit.registry import DATASETS, MODELS, TRANSFORMS
from ltkit.testing.config_tree import stage_parts, states_stages
from ltkit.testing.one_step import on_stand_in
from ltkit.utils.checkpoint import read_checkpoint

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
FOUND = [path for path in CONFIGS.rglob('*.py') if not {'_base_', 'benchmarks'} & set(path.parts)]
PARTS = set().union(*map(stage_parts, {path.parent for path in FOUND}))
ALL = sorted(str(path.relative_to(CONFIGS)) for path in FOUND)
STAGED = [name for name in ALL if states_stages(CONFIGS / name)]
NAMES = [name for name in ALL if name not in STAGED and CONFIGS / name not in PARTS]
AS_ERM = re.compile(r'^(resampling|unoic|pc_softmax|tau_norm)/(?!r8_digits)|/(?!r8_digits).*_posthoc\.py')
QUICK = [name for name in NAMES
         if re.search(r'/(r8|r10)_|^(erm|ride)/r50_imagenet_lt\.py', name) and not AS_ERM.search(name)]
SLOW = sorted(set(NAMES) - set(QUICK))
# Another first stage than that of cRT is another sampler, and more images are no other code.
QUICK_STAGED = [name for name in STAGED if re.search(r'/(crt_|lws_|ncm_)?r8_digits_lt|/crt_r8_cifar', name)]
SLOW_STAGED = sorted(set(STAGED) - set(QUICK_STAGED))
CLASSES = (10, 100, 365, 1000, 8142)


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
    _check_weights(tmp_path)


@pytest.mark.parametrize('name', QUICK_STAGED + [pytest.param(name, marks=pytest.mark.slow) for name in SLOW_STAGED])
def test_each_stage_trains_a_step_from_the_one_before(name, data, tmp_path):
    stages = load_stages(CONFIGS / name)
    for stage in stages:
        on_stand_in(stage.config, data, batch_size=4)
    results = train_stages(stages, str(tmp_path))
    assert list(results['stages']) == [stage.name for stage in stages]
    for stage in stages:
        assert 0 <= results['stages'][stage.name]['metrics']['accuracy/top1'] <= 100
        _check_weights(tmp_path / stage.name)


def _check_weights(folder: Path) -> None:
    """The checkpoint of one step, or of a fit, is finite."""
    checkpoint = read_checkpoint(next(folder.glob('*_1.pth')))
    assert checkpoint['meta']['iter'] == 1 or not checkpoint.get('optimizer')
    weights = [value for value in checkpoint['state_dict'].values() if torch.is_floating_point(value)]
    assert all(torch.isfinite(value).all() for value in weights)


@pytest.mark.parametrize('name', SLOW)
def test_config_builds(name):
    """The model and the steps of the pipelines."""
    _check_build(load_config(str(CONFIGS / name)))


@pytest.mark.parametrize('name', SLOW_STAGED)
def test_each_stage_builds(name):
    for stage in load_stages(CONFIGS / name):
        if stage.source is not None:  # the first one is, nearly always, a config of its own
            _check_build(stage.config)


def _check_build(cfg) -> None:
    assert MODELS.build(cfg.model).head.num_classes in CLASSES
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
