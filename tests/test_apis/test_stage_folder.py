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


def _checkpoint(folder: StageFolder, epoch: int) -> None:
    folder.path.mkdir(exist_ok=True)
    torch.save(dict(state_dict={}), folder.path / f'epoch_{epoch}.pth')


def test_other_settings_are_named(tmp_path):
    _folder(tmp_path).note(BEGUN, None, None)
    _checkpoint(_folder(tmp_path), 1)
    other = _folder(tmp_path)
    other.settings['train_cfg']['max_epochs'] = 5
    other.settings.update(a=1, b=2, c=3)
    with pytest.raises(ConfigError) as error:
        other.check(None, None)
    assert 'train_cfg.max_epochs: 3 then, 5 now; a: None then, 1 now; b: None then, 2 now and 1 m' in str(error.value)


def test_another_source_is_refused(tmp_path):
    folder = _folder(tmp_path)
    folder.note(BEGUN, 'a.pth', 'abc')
    _checkpoint(folder, 1)
    with pytest.raises(ConfigError, match=r'begun from another checkpoint \(a\.pth then, b\.pth now\)'):
        folder.check('b.pth', 'abd')


def test_a_stage_of_which_nothing_was_trained_may_begin_anew(tmp_path):
    """As after an error at the start, of a path or the memory, that another setting mends."""
    _folder(tmp_path).note(BEGUN, 'a.pth', 'abc')
    _folder(tmp_path, seed=3).check('b.pth', 'abd')


def test_a_finished_stage_ends_with_its_last_checkpoint_and_no_other(tmp_path):
    folder = _folder(tmp_path)
    for epoch in (1, 2):
        _checkpoint(folder, epoch)
    folder.note(FINISHED, None, None, checkpoint=f'elsewhere/{folder.path.name}/epoch_2.pth')  # moved since
    assert folder.checkpoint == str(folder.path / 'epoch_2.pth') and folder.damage is None
    whole = (folder.path / 'epoch_2.pth').read_bytes()
    (folder.path / 'epoch_2.pth').write_bytes(whole[:len(whole) // 2])
    assert 'epoch_2.pth' in folder.damage and 'truncated' in folder.damage
    (folder.path / 'epoch_2.pth').unlink()
    assert folder.damage is None  # deleted, not damaged: not to be trained again unasked
    with pytest.raises(CheckpointError, match=r"stage 'first' ended with epoch_2\.pth, which is not in"):
        _ = folder.checkpoint


def test_a_stage_that_is_opened_again_keeps_its_settings(tmp_path):
    folder = _folder(tmp_path)
    _checkpoint(folder, 1)
    folder.note(FINISHED, 'a.pth', 'abc', checkpoint=folder.checkpoint)
    other = _folder(tmp_path, seed=3)
    other.reopen()
    assert not folder.finished and folder.checkpoint.endswith('epoch_1.pth')
    folder.check('a.pth', 'abc')
    with pytest.raises(ConfigError, match='seed: None then, 3 now'):
        other.check('a.pth', 'abc')


@pytest.mark.parametrize('text', ['{', '', '[]', '{}', 'null'])
def test_damage_of_the_state_is_told(tmp_path, text):
    folder = _folder(tmp_path)
    folder.note(FINISHED, None, None)
    (tmp_path / 'first' / 'stage.json').write_text(text)
    with pytest.raises(CheckpointError, match=r'stage\.json cannot be read'):
        _ = folder.state


def test_damaged_results_are_told(tmp_path):
    folder = _folder(tmp_path)
    _checkpoint(folder, 1)
    folder.note(FINISHED, None, None, checkpoint=folder.checkpoint)
    (folder.path / 'results.json').write_text('{"metrics": ')
    assert 'results.json cannot be read' in folder.damage


def test_damage_is_told(tmp_path):
    folder = _folder(tmp_path)
    folder.note(FINISHED, None, None)
    with pytest.raises(CheckpointError, match="stage 'first' has no checkpoint"):
        _ = folder.checkpoint


def test_digest(tmp_path):
    (tmp_path / 'a').write_bytes(b'1' * 3_000_000)
    assert digest(tmp_path / 'a') == hashlib.sha256(b'1' * 3_000_000).hexdigest() and digest(None) is None
