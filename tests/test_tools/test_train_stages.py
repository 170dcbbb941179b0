"""``tools/train.py`` on a config with stages: killed and started again, and what bad input gets."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch
from PIL import Image

from ltkit.testing import run_command
from ltkit.utils.checkpoint import read_checkpoint

REPO = Path(__file__).resolve().parents[2]
TRAIN = REPO / 'tools/train.py'
DECOUPLE = REPO / 'configs/decouple'
CRT = DECOUPLE / 'crt_r8_digits_lt.py'
EPOCHS = 3
SHORT = [f'representation.train_cfg.max_epochs={EPOCHS}', f'classifier.train_cfg.max_epochs={EPOCHS}',
         'default_hooks.checkpoint.interval=1', 'default_hooks.checkpoint.max_keep_ckpts=-1']
# Where a run is stopped: as soon as this is so.
MOMENTS = {
    'representation': lambda folder: (folder / 'representation/epoch_1.pth').exists(),
    'between': lambda folder: _state(folder, 'representation') == 'finished',
    'classifier': lambda folder: (folder / 'classifier/epoch_1.pth').exists(),
}


def _state(folder: Path, stage: str) -> str | None:
    path = folder / stage / 'stage.json'
    return json.loads(path.read_text())['state'] if path.exists() else None


def _run(folder: Path, *more: object, config: Path = CRT, stop: tuple[int, str] | None = None):
    """Train both stages into ``folder``; ``stop`` = a signal and the moment of it."""

    def meanwhile(process: BaseProcess) -> None:
        while process.is_alive() and not MOMENTS[stop[1]](folder):
            time.sleep(0.002)
        os.kill(process.pid, stop[0])

    options = [option for option in SHORT if not (config.name.startswith('ncm') and 'classifier' in option)]
    return run_command(TRAIN, config, '--work-dir', folder, *more, '--cfg-options', *options, cwd=folder.parent,
                       merged=True, meanwhile=meanwhile if stop else None)


def _weights(folder: Path, stage: str, epoch: int = EPOCHS) -> dict[str, torch.Tensor]:
    return read_checkpoint(folder / stage / f'epoch_{epoch}.pth')['state_dict']


def _same_end(folder: Path, expected: Path) -> None:
    """The weights of each stage and all metrics are the same, to the bit."""
    for stage in ('representation', 'classifier'):
        epoch = max(int(path.stem.split('_')[1]) for path in (expected / stage).glob('epoch_*.pth'))
        whole, found = _weights(expected, stage, epoch), _weights(folder, stage, epoch)
        assert set(whole) == set(found)
        for name, value in whole.items():
            assert torch.equal(value, found[name]), (stage, name)
    whole, found = (json.loads((each / 'results.json').read_text()) for each in (expected, folder))
    assert found['metrics'] == whole['metrics'] and found['per_class_accuracy'] == whole['per_class_accuracy']
    for stage, results in whole['stages'].items():
        assert found['stages'][stage]['metrics'] == results['metrics'] and results['metrics']


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The folder of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp('whole') / 'run'
    done = _run(folder)
    assert done.returncode == 0, done.stdout
    table = done.stdout[done.stdout.rindex('\nstage '):]
    assert re.search(r'^representation .*\nclassifier ', table, re.MULTILINE), table
    return folder


def test_the_frozen_part_is_that_of_the_first_stage_to_the_bit(whole):
    first, second = (read_checkpoint(whole / stage / f'epoch_{EPOCHS}.pth')
                     for stage in ('representation', 'classifier'))
    kept = [name for name in first['state_dict'] if name.startswith('backbone')]
    assert any('running_var' in name for name in kept) and any('conv' in name for name in kept)
    for name in kept:
        assert torch.equal(first['state_dict'][name], second['state_dict'][name]), name
    trained = [second['state_dict'][f'head.classifier.{name}'] for name in ('weight', 'bias')]
    optimizer = second['optimizer']
    held = [number for group in optimizer['param_groups'] for number in group['params']]
    assert sorted(optimizer['state']) == held == [0, 1]
    assert [optimizer['state'][number]['momentum_buffer'].shape for number in held] == [part.shape for part in trained]
    assert len(first['optimizer']['state']) > 2


def test_killed_in_each_stage_it_ends_as_if_it_had_not_been(whole, tmp_path):
    """By SIGKILL, which leaves no time to save anything."""
    for moment in ('representation', 'classifier'):
        assert _run(tmp_path / 'run', stop=(signal.SIGKILL, moment)).returncode == -signal.SIGKILL
    done = _run(tmp_path / 'run')
    assert done.returncode == 0, done.stdout
    assert "stage 'representation' has finished before" in done.stdout
    assert "stage 'classifier' was interrupted and goes on from" in done.stdout
    _same_end(tmp_path / 'run', whole)


@pytest.mark.slow
@pytest.mark.parametrize('moment', MOMENTS)
def test_asked_to_stop_it_saves_itself_and_goes_on(whole, tmp_path, moment):
    stopped = _run(tmp_path / 'run', stop=(signal.SIGTERM, moment))
    assert stopped.returncode == 75, stopped.stdout
    line = stopped.stdout.splitlines()[-1]
    assert line.startswith('stopped: SIGTERM: ') and 'the same command' in line and '--resume' not in line
    assert _state(tmp_path / 'run', 'classifier') != 'finished'
    assert _run(tmp_path / 'run').returncode == 0
    _same_end(tmp_path / 'run', whole)


@pytest.mark.slow
@pytest.mark.parametrize('name, moment', [('lws', 'representation'), ('lws', 'between'), ('lws', 'classifier'),
                                          ('ncm', 'representation'), ('ncm', 'between')])
def test_killed_at_any_moment(tmp_path, name, moment):
    config = DECOUPLE / f'{name}_r8_digits_lt.py'
    assert _run(tmp_path / 'whole', config=config).returncode == 0
    stopped = _run(tmp_path / 'killed', config=config, stop=(signal.SIGKILL, moment))
    assert stopped.returncode == -signal.SIGKILL
    done = _run(tmp_path / 'killed', config=config)
    assert done.returncode == 0, done.stdout
    _same_end(tmp_path / 'killed', tmp_path / 'whole')


def _metrics(path: Path) -> dict[str, float]:
    metrics = json.loads(path.read_text())['metrics']
    return {key: value for key, value in metrics.items() if key.startswith('accuracy/')}


def test_the_other_tools_take_the_last_stage(whole, tmp_path):
    """Whose config the checkpoint of any stage of the same network fits."""
    for stage in ('classifier', 'representation'):
        done = run_command(REPO / 'tools/test.py', CRT, whole / stage / f'epoch_{EPOCHS}.pth', '--work-dir',
                           tmp_path / stage, '--cfg-options', 'classifier.test_dataloader.batch_size=100', cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert _metrics(tmp_path / stage / 'test_results.json') == _metrics(whole / stage / 'results.json')
    assert (tmp_path / 'classifier' / 'crt_r8_digits_lt_classifier.py').is_file()
    last = whole / 'classifier' / f'epoch_{EPOCHS}.pth'
    done = run_command(REPO / 'tools/test.py', DECOUPLE / 'lws_r8_digits_lt.py', last, '--work-dir', tmp_path / 'other',
                       cwd=tmp_path)
    assert done.returncode == 2 and 'is of another model' in done.stderr
    Image.new('L', (8, 8)).save(tmp_path / 'image.png')
    done = run_command(REPO / 'tools/infer.py', CRT, last, 'image.png', cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith('image.png: '), done.stderr


def test_the_config_of_each_stage_is_printed():
    done = run_command(REPO / 'tools/misc/print_config.py', CRT, '--cfg-options', 'classifier.train_cfg.max_epochs=7',
                       'train_dataloader.batch_size=16')
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split("# stage 'classifier', from 'representation'\n")
    assert first.startswith("# stage 'representation'\n")
    printed: list[dict] = [{}, {}]
    for text, scope in zip((first, second), printed):
        exec(text, scope)
    assert [scope['train_cfg']['max_epochs'] for scope in printed] == [100, 7]
    assert [scope['train_dataloader']['batch_size'] for scope in printed] == [16, 16]
    assert 'frozen' not in printed[0] and printed[1]['frozen']['parameters'] == ['backbone']


def test_a_stage_by_its_own_config_is_that_stage(whole, tmp_path):
    done = run_command(TRAIN, DECOUPLE / 'crt_r8_digits_lt_classifier.py', '--work-dir', tmp_path, '--cfg-options',
                       f'load_from={whole}/representation/epoch_{EPOCHS}.pth', f'train_cfg.max_epochs={EPOCHS}',
                       cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected, found = _weights(whole, 'classifier'), _weights(tmp_path.parent, tmp_path.name)
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
