"""Tests of training and testing by a config."""

from __future__ import annotations

import os

import pytest
import torch
from mmengine.config import Config

from ltkit.apis import default_work_dir, train, use_amp
from ltkit.apis import test as run_test
from ltkit.utils.errors import CheckpointError, ConfigError

SHORT = 'train_cfg = dict(max_epochs=1, val_interval=1)\n'


def test_default_work_dir():
    expected = os.path.join('work_dirs', 'ride', 'r50_imagenet_lt')
    assert default_work_dir('configs/ride/r50_imagenet_lt.py') == expected


def test_train_and_test_give_the_same_figures(small_run):
    trained = train(small_run.load(SHORT))
    tested = run_test(small_run.load(SHORT), str(small_run.folder / 'run' / 'epoch_1.pth'))
    assert trained['metrics'] == tested['metrics'] and trained['epoch'] == tested['epoch'] == 1


def test_configs_that_lack_a_part(small_run):
    cfg = small_run.load(SHORT)
    cfg.train_dataloader = None
    with pytest.raises(ConfigError, match=r'small\.py has no train_dataloader'):
        train(cfg)
    cfg.test_dataloader = None
    with pytest.raises(ConfigError, match=r'small\.py has no test_dataloader'):
        run_test(cfg, 'any.pth')


def test_checkpoints_that_do_not_fit(small_run):
    with pytest.raises(CheckpointError, match=r'no checkpoint at none\.pth'):
        run_test(small_run.load(SHORT), 'none.pth')
    path = str(small_run.folder / 'other.pth')
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(CheckpointError, match=r'other\.pth is of another model'):
        run_test(small_run.load(SHORT), path)


def test_nothing_to_resume_is_said_before_anything_starts(small_run):
    cfg = small_run.load(SHORT)
    cfg.resume = True
    with pytest.raises(CheckpointError, match='nothing to resume: no checkpoint in'):
        train(cfg)
    assert not os.path.exists(cfg.work_dir)


def test_a_run_without_a_stated_seed_resumes_with_its_own(small_run):
    def load(epochs: int, resume: bool = False) -> Config:
        cfg = small_run.load(SHORT, train_cfg__max_epochs=epochs)
        cfg.randomness, cfg.resume = dict(), resume
        cfg.randomness = dict(seed=None)
        return cfg

    first = train(load(1))
    second = train(load(2, resume=True))
    assert first['seed'] == second['seed'] and second['epoch'] == 2 and second['resumed']


def test_use_amp():
    wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
    for given in (wrapper, dict(wrapper, type='OptimWrapper'), dict(wrapper, type='CPUAmpOptimWrapper')):
        cfg = Config(dict(optim_wrapper=given))
        use_amp(cfg)
        assert cfg.optim_wrapper.type in ('CPUAmpOptimWrapper', 'AmpOptimWrapper')
        assert cfg.optim_wrapper.optimizer.lr == 0.1
    with pytest.raises(ConfigError, match="but it is 'ApexOptimWrapper'"):
        use_amp(Config(dict(optim_wrapper=dict(wrapper, type='ApexOptimWrapper'))))
    with pytest.raises(ConfigError, match='no optim_wrapper'):
        use_amp(Config(dict()))
