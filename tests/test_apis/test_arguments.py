"""Tests of the arguments that the tools share."""

from __future__ import annotations

import argparse
import os

import pytest

from ltkit.apis import add_run_arguments, config_of, positive_number, seed_number
from ltkit.apis.arguments import option_value
from ltkit.utils.errors import ConfigError


def _parse(*args: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_run_arguments(parser)
    return parser.parse_args([str(arg) for arg in args])


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '')
    monkeypatch.delenv('LOCAL_RANK')


def test_defaults(small_run):
    cfg = config_of(_parse(small_run.config()))
    assert cfg.launcher == 'none'
    assert cfg.work_dir == os.path.join('work_dirs', small_run.folder.name, 'small')
    assert os.environ['LOCAL_RANK'] == '0'


def test_config_of_the_package_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    cfg = config_of(_parse('ltkit::erm/r8_digits_lt.py'))
    assert cfg.work_dir == os.path.join('work_dirs', 'erm', 'r8_digits_lt')


def test_stages_take_the_work_folder_that_all_of_them_state(repo_root):
    config = repo_root / 'configs/decouple/crt_r8_digits_lt.py'
    assert config_of(_parse(config, '--cfg-options', 'work_dir=given')).work_dir == 'given'
    assert config_of(_parse(config, '--cfg-options', 'work_dir=a', '--work-dir', 'b')).work_dir == 'b'
    assert config_of(_parse(config)).work_dir == os.path.join('work_dirs', 'decouple', 'crt_r8_digits_lt')


def test_options_take_precedence(small_run):
    cfg = config_of(_parse(
        small_run.config("work_dir = 'mine'"), '--cfg-options',
        'train_dataloader.dataset.imbalance_factor=10',
        'optim_wrapper.optimizer.lr=0.5', '--launcher', 'slurm', '--local-rank', '3'))
    assert cfg.train_dataloader.dataset.imbalance_factor == 10 and cfg.optim_wrapper.optimizer.lr == 0.5
    assert cfg.launcher == 'slurm' and cfg.work_dir == 'mine' and os.environ['LOCAL_RANK'] == '3'
    assert config_of(_parse(small_run.config(), '--work-dir', 'given')).work_dir == 'given'
    assert config_of(_parse(small_run.config(), '--cfg-options', 'work_dir=opted')).work_dir == 'opted'


def test_wrong_option_is_refused(small_run):
    with pytest.raises(ConfigError, match='imbalance_factr'):
        config_of(_parse(small_run.config(), '--cfg-options', 'train_dataloader.dataset.imbalance_factr=10'))


def test_option_in_json(small_run):
    text = 'val_evaluator=[{"type": "LongTailAccuracy"}, {"type": "Calibration", "num_bins": 5}]'
    cfg = config_of(_parse(small_run.config(), '--cfg-options', text, 'model.head.loss={"loss_weight": 0.5}'))
    assert [metric.type for metric in cfg.val_evaluator] == ['LongTailAccuracy', 'Calibration']
    assert cfg.val_evaluator[1].num_bins == 5
    assert cfg.model.head.loss.type == 'SoftmaxLoss' and cfg.model.head.loss.loss_weight == 0.5
    assert option_value('[1,2]') == [1, 2] and option_value('8') == 8
    with pytest.raises(ConfigError, match=r'cannot be read; write lists of dicts as JSON'):
        option_value('[dict(type="X", at=13)]')
    with pytest.raises(ConfigError, match=r'^\[\{type: x\}\] is no JSON'):
        _parse(small_run.config(), '--cfg-options', 'val_evaluator=[{type: x}]')


@pytest.mark.parametrize('option', ['model.head', '=3', 'train_cfg.max_epochs'])
def test_option_without_a_value_is_one_line(small_run, option):
    with pytest.raises(ConfigError, match=f"^--cfg-options: '{option}' is not KEY=VALUE"):
        _parse(small_run.config(), '--cfg-options', option)


@pytest.mark.parametrize('text', ['-1', '4294967296', '1.5', 'x', ''])
def test_wrong_seed_is_refused(text):
    assert seed_number('0') == 0 and seed_number('4294967295') == 2**32 - 1
    with pytest.raises(argparse.ArgumentTypeError, match='must be a whole number from 0 to 4294967295'):
        seed_number(text)


def test_positive_number():
    assert positive_number('7') == 7
    with pytest.raises(argparse.ArgumentTypeError, match='must be a whole number from 1 on, but is 0'):
        positive_number('0')


def test_work_folder_that_cannot_be_written(small_run, tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    for folder in ('file', 'file/below'):
        with pytest.raises(ConfigError, match=r'file is not a folder; give another --work-dir'):
            config_of(_parse(small_run.config(), '--work-dir', tmp_path / folder))
    config_of(_parse(small_run.config(), '--work-dir', tmp_path / 'new' / 'deep'))
    assert not (tmp_path / 'new').exists()
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(ConfigError, match=f'no permission in {tmp_path}; give another'):
        config_of(_parse(small_run.config(), '--work-dir', tmp_path / 'new'))
