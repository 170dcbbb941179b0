"""Loading as a whole."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from ltkit.config import check_config, load_config
from ltkit.utils import ConfigError


def test_without_checks_the_config_is_mmengines(write, base):
    write('x.py', "_base_ = 'base.py'\ndefault_hoks = dict()\nnum_classes = 100\n")
    config = load_config('x.py', check=False)
    assert config.num_classes == 100 and 'default_hoks' in config


def test_options_take_precedence(base):
    config = load_config(base, {'train_cfg.max_epochs': 7, 'train_dataloader.dataset.pipeline.0.size': 5})
    assert config.train_cfg.max_epochs == 7 and config.train_dataloader.dataset.pipeline[0].size == 5


def test_option_that_does_not_fit(base):
    with pytest.raises(ConfigError, match=r'^--cfg-options train_cfg.max_epochs.x: does not fit the config'):
        load_config(base, {'work_dir': 'w', 'train_cfg.max_epochs.x': 7})


def test_check_config_takes_what_others_loaded(base):
    check_config(Config.fromfile(base))
    check_config(load_config(base))
    base.write_text(base.read_text().replace('max_margin', 'max_margn'))
    with pytest.raises(ConfigError, match=r"^base.py:8: ToyLoss has no argument 'max_margn'"):
        check_config(Config.fromfile(base))


def test_check_config_without_a_file():
    with pytest.raises(ConfigError, match=r"^model.head.type: 'Nothing' is not a registered model"):
        check_config(Config(dict(model=dict(head=dict(type='Nothing')))))


def test_runner_type_brings_its_arguments(write):
    write(
        'x.py',
        "runner_type = 'FlexibleRunner'\nstrategy = dict(type='SingleDeviceStrategy')\nwork_dir = 'w'\n",
    )
    assert load_config('x.py').strategy.type == 'SingleDeviceStrategy'
