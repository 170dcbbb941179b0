"""Tests of the folder of one stage."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from mmengine.config import Config

from ltkit.apis.stage_folder import BEGUN, FINISHED, StageFolder, digest
from ltkit.config.stages import Stage
from ltkit.utils.errors import CheckpointError, ConfigError


def _folder(path, **settings) -> StageFolder:
    return StageFolder(str(path), Stage('first', Config(dict(train_cfg=dict(max_epochs=3), **settings))))


def test_state_over_a_stage(tmp_path):
    folder = _folder(tmp_path)
    assert folder.state == {} and not folder.finished and folder.results == {}
    folder.check(None, None)
    folder.note(BEGUN, 'a.pth', 'abc')
    assert not folder.finished
    _folder(tmp_path, work_dir='elsewhere', load_from='a.pth', hand_over=True).check('b.pth', 'abc')  # moved
    torch.save(dict(state_dict={}), tmp_path / 'first' / 'epoch_3.pth')
    folder.note(FINISHED, 'a.pth', 'abc', checkpoint=folder.checkpoint)
    assert folder.finished and folder.checkpoint == str(tmp_path / 'first' / 'epoch_3.pth')
    assert json.loads((tmp_path / 'first' / 'stage.json').read_text())['config'] == dict(train_cfg=dict(max_epochs=3))


def test_what_a_run_writes_into_its_config_is_no_change(tmp_path):
    folder = _folder(tmp_path)
    folder.note(BEGUN, None, None)
    folder.stage.config.experiment_name = 'first'
    folder.check(None, None)


def test_other_settings_are_named(tmp_path):
    _folder(tmp_path).note(BEGUN, None, None)
    other = _folder(tmp_path)
    other.settings['train_cfg']['max_epochs'] = 5
    other.settings.update(a=1, b=2, c=3)
    with pytest.raises(ConfigError) as error:
        other.check(None, None)
    assert 'train_cfg.max_epochs: 3 then, 5 now; a: None then, 1 now; b: None then, 2 now and 1 m' in str(error.value)


def test_another_source_is_refused(tmp_path):
    folder = _folder(tmp_path)
    folder.note(BEGUN, 'a.pth', 'abc')
    with pytest.raises(ConfigError, match=r'begun from another checkpoint \(a\.pth then, b\.pth now\)'):
        folder.check('b.pth', 'abd')


def test_damage_is_told(tmp_path):
    folder = _folder(tmp_path)
    folder.note(FINISHED, None, None)
    with pytest.raises(CheckpointError, match="stage 'first' has no checkpoint"):
        _ = folder.checkpoint
    (tmp_path / 'first' / 'stage.json').write_text('{')
    with pytest.raises(CheckpointError, match=r'stage\.json cannot be read'):
        _ = folder.state


def test_digest(tmp_path):
    (tmp_path / 'a').write_bytes(b'1' * 3_000_000)
    assert digest(tmp_path / 'a') == hashlib.sha256(b'1' * 3_000_000).hexdigest() and digest(None) is None
