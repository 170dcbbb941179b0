"""Any config made to train one step."""

from __future__ import annotations

import pytest

from ltkit.config import load_config
from ltkit.testing.one_step import on_stand_in
from ltkit.utils.errors import ConfigError


def test_changes_data_and_length_alone(repo_root, tmp_path):
    whole = load_config(str(repo_root / 'configs/erm/r50_imagenet_lt.py'))
    cfg = on_stand_in(load_config(str(repo_root / 'configs/erm/r50_imagenet_lt.py')), tmp_path, batch_size=2)
    assert cfg.model == whole.model and cfg.optim_wrapper == whole.optim_wrapper
    assert cfg.param_scheduler == whole.param_scheduler
    assert cfg.train_cfg.max_epochs == 1 and cfg.train_dataloader.batch_size == 2
    assert [step['type'] for step in cfg.train_dataloader.dataset.pipeline] == \
        [step['type'] for step in whole.train_dataloader.dataset.pipeline]
    assert cfg.train_dataloader.dataset.pipeline[1]['size'] == 64
    assert cfg.test_dataloader.dataset.pipeline[1]['size'] == 73


def test_fetches_no_pretrained_weights(repo_root, tmp_path):
    cfg = on_stand_in(load_config(str(repo_root / 'configs/erm/r152_places_lt.py')), tmp_path)
    assert cfg.model.backbone.init_cfg is None


def test_names_a_data_set_without_stand_in(repo_root, tmp_path):
    cfg = load_config(str(repo_root / 'configs/erm/r8_digits_lt.py'))
    cfg.train_dataloader.dataset.type = 'MyDataset'
    with pytest.raises(ConfigError, match="no stand-in for the data set 'MyDataset'"):
        on_stand_in(cfg, tmp_path)
