"""Settings that must be numbers."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from ltkit.config import check_config, load_config
from ltkit.config.numbers import RULES, is_seed
from ltkit.utils import ConfigError

WRONG = {
    'train_cfg.max_epochs': [0, -3, 1.5, 'ten', True],
    'train_cfg.val_interval': [0],
    'train_dataloader.batch_size': [0, -4, 'abc'],
    'val_dataloader.batch_size': [2.5],
    'train_dataloader.num_workers': [-1],
    'optim_wrapper.accumulative_counts': [0],
    'optim_wrapper.optimizer.lr': [-1, 'fast', float('nan'), float('inf')],
    'optim_wrapper.optimizer.weight_decay': ['5-e4'],
    'randomness.seed': [-1, 2**32, 'random'],
}


@pytest.mark.parametrize('key, value', [(key, value) for key, values in WRONG.items() for value in values])
def test_a_wrong_number_names_its_key(base, key, value):
    with pytest.raises(ConfigError) as caught:
        load_config(base, {key: value})
    assert str(caught.value).startswith(f'--cfg-options {key}: {key} must be ')
    assert str(caught.value).endswith(f', but is {value!r}')


def test_a_wrong_number_names_its_line(write, base):
    write('x.py', "_base_ = 'base.py'\nrandomness = dict(\n    seed=-1)\n")
    with pytest.raises(ConfigError, match=r'^x\.py:3: randomness\.seed must be a whole number from 0 to 4294967295'):
        load_config('x.py')


def test_none_and_numbers_in_range_pass(base):
    config = load_config(base, {'randomness.seed': None, 'train_cfg.max_epochs': 1,
                                'optim_wrapper.optimizer.lr': 0})
    assert config.train_cfg.max_epochs == 1


def test_what_others_loaded_is_checked():
    with pytest.raises(ConfigError, match=r'^train_cfg\.max_iters: train_cfg\.max_iters must be'):
        check_config(Config(dict(train_cfg=dict(by_epoch=False, max_iters=0))))
    check_config(Config(dict(train_cfg=None, randomness=None)))


def test_rules_name_settings_and_seeds_are_whole():
    assert all(len(kind) > 5 for kind, _ in RULES.values())
    assert is_seed(0) and is_seed(2**32 - 1) and not is_seed(True) and not is_seed(0.0)
