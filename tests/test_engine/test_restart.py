"""A launch whose process dies goes on by itself; its exit status says how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ltkit.apis.run import _find_restarted
from ltkit.engine.launch import launch_id, restarts

KILLER = '''
import os, signal
from pathlib import Path
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from ltkit.registry import HOOKS

@HOOKS.register_module()
class KillOnce(Hook):
    """Kill one process before an iteration, the first time that it comes."""
    def __init__(self, iteration, times=1):
        self.iteration, self.times = iteration, times
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        done = len(list(Path('.').glob('killed_*')))
        if runner.iter == self.iteration and get_rank() == 1 and done < self.times:
            Path(f'killed_{done}').touch()
            os.kill(os.getpid(), signal.SIGKILL)
'''
CONFIG = '''
custom_imports = dict(imports=['kill_once'])
train_cfg = dict(max_epochs=3, val_interval=3)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=1))
custom_hooks = {hooks}
'''


@pytest.fixture
def make(small_run):
    """Write the config of a run of which one process is killed."""
    (small_run.folder / 'kill_once.py').write_text(KILLER)

    def write(name: str, **killer) -> Path:
        hooks = [dict(type='KillOnce', **killer)] if killer else []
        return small_run.config(CONFIG.format(hooks=hooks), name=f'{name}.py')
    return write


def _final(folder: Path) -> dict:
    return torch.load(folder / 'epoch_3.pth', weights_only=True)


def _two(small_run, config: Path, work_dir: str, *args: str, check: int = 0, **env: str):
    done = small_run.tool('dist_train.sh', config, 2, '--work-dir', work_dir, *args, check=check,
                          CUDA_VISIBLE_DEVICES='', **env)
    return done.stdout + done.stderr


def _same_end(small_run, name: str) -> None:
    expected, found = (_final(small_run.folder / each) for each in ('straight', name))
    assert found['meta']['iter'] == 27
    for key, value in expected['state_dict'].items():
        assert torch.equal(value, found['state_dict'][key]), key
    results = [json.loads((small_run.folder / each / 'results.json').read_text()) for each in ('straight', name)]
    assert results[0]['metrics'] == results[1]['metrics']


@pytest.mark.slow
def test_one_of_two_processes_is_killed(small_run, make):
    _two(small_run, make('straight'), 'straight')
    printed = _two(small_run, make('late', iteration=13), 'late', '--max-restarts', '3')
    assert 'restart 1: resuming' in printed and 'epoch_1.pth' in printed and 'resumed epoch: 1' in printed
    _same_end(small_run, 'late')


@pytest.mark.slow
def test_one_of_two_processes_is_killed_before_its_first_checkpoint(small_run, make):
    """The folder has checkpoints of another run, which must not be taken."""
    _two(small_run, make('straight'), 'straight')
    other = small_run.folder / 'early'
    small_run.fork(make('other'), 'early', train_cfg__max_epochs=2, optim_wrapper__optimizer__lr=0.01)
    assert (other / 'epoch_2.pth').exists()
    printed = _two(small_run, make('early', iteration=4), 'early', MAX_RESTARTS='1')
    assert 'restart 1: there is no checkpoint of this launch yet' in printed
    _same_end(small_run, 'early')


@pytest.mark.slow
@pytest.mark.parametrize('iteration', [4, 13])
def test_one_of_two_processes_is_killed_in_the_second_stage(small_run, make, iteration):
    """Before its first checkpoint, where it begins from the first stage again, and after it."""
    for name, killer in (('whole', {}), ('dying', dict(iteration=iteration))):
        make(f'{name}_second', **killer)
        make('first')
        (small_run.folder / f'{name}_stages.py').write_text(
            "stages = [dict(name='first', config='first.py'), "
            f"dict(name='second', config='{name}_second.py', load_from='first')]\n")
        printed = _two(small_run, small_run.folder / f'{name}_stages.py', name, '--max-restarts', '1', '--cfg-options',
                       "second.frozen.parameters=backbone")
    assert "stage 'first' has finished before" in printed and 'restart 1: ' in printed
    expected, found = (torch.load(small_run.folder / name / 'second' / 'epoch_3.pth', weights_only=True)
                       for name in ('whole', 'dying'))
    for key, value in expected['state_dict'].items():
        assert torch.equal(value, found['state_dict'][key]), key


def test_no_more_restarts_than_allowed(small_run, make):
    printed = _two(small_run, make('dies', iteration=4, times=9), 'dies', check=128 + signal.SIGKILL)
    assert 'error: process 1 was killed by SIGKILL' in printed
    assert len(list(small_run.folder.glob('killed_*'))) == 1


def test_an_error_of_the_user_keeps_its_status(small_run):
    printed = _two(small_run, small_run.config('train_dataloader = dict(batch_size=33)'), 'x', check=2)
    assert 'batch_size is 33 for one optimiser step' in printed
    done = small_run.tool('dist_train.sh', 'a.py', 2, '--max-restarts', 'many', check=2)
    assert done.stderr == "error: --max-restarts needs a number of restarts, but got 'many'\n"


@pytest.mark.parametrize('number', [
    signal.SIGTERM, pytest.param(signal.SIGUSR1, marks=pytest.mark.slow)])
def test_signal_to_the_launcher(small_run, make, repo_root, number):
    """As Slurm and Kubernetes send it: to the process that they started."""
    config = make('long')
    command = ['bash', repo_root / 'tools/dist_train.sh', config, '2', '--max-restarts', '2', '--work-dir', 'long',
               '--cfg-options', 'train_cfg.max_epochs=2000', 'train_cfg.val_interval=2000']
    env = {**os.environ, 'PYTHON': sys.executable, 'PYTHONPATH': str(repo_root), 'CUDA_VISIBLE_DEVICES': '',
           'OMP_NUM_THREADS': '1'}
    with open(small_run.folder / 'printed', 'w', encoding='utf-8') as out:
        process = subprocess.Popen(command, cwd=small_run.folder, stdout=out, stderr=out, env=env)
        try:
            until = time.monotonic() + 150
            while not (small_run.folder / 'long' / 'epoch_1.pth').exists() and time.monotonic() < until:
                assert process.poll() is None, (small_run.folder / 'printed').read_text()
                time.sleep(0.1)
            process.send_signal(number)
            status = process.wait(150)
        finally:
            process.kill()
    printed = (small_run.folder / 'printed').read_text()
    assert status == 75, printed[-3000:]
    assert 'stopped: SIGTERM: saved after iteration' in printed
    assert (small_run.folder / 'long' / 'last_checkpoint').read_text().endswith('.pth')


@pytest.mark.parametrize('given, expected', [
    (dict(LTKIT_LAUNCH_ID='a', TORCHELASTIC_RUN_ID='b'), 'a'), (dict(TORCHELASTIC_RUN_ID='b'), 'b'),
    (dict(TORCHELASTIC_RUN_ID='none'), None), (dict(), None)])
def test_launch_id(monkeypatch, given, expected):
    for name in ('LTKIT_LAUNCH_ID', 'TORCHELASTIC_RUN_ID', 'TORCHELASTIC_RESTART_COUNT'):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert launch_id() == expected and restarts() == 0


@pytest.mark.parametrize('resume, load_from, launch, found', [
    (False, None, 'one', True), (False, None, 'two', False), (False, None, None, False),
    (True, None, 'two', True),  # --resume takes the newest of any launch
    (True, 'given.pth', 'two', False), (True, 'given.pth', 'one', True)])
def test_which_checkpoint_a_restart_takes(small_run, monkeypatch, resume, load_from, launch, found):
    cfg = small_run.load('')
    os.makedirs(cfg.work_dir)
    path = f'{cfg.work_dir}/epoch_2.pth'
    torch.save(dict(meta=dict(launch='one'), state_dict={}), path)
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    monkeypatch.setenv('LTKIT_LAUNCH_ID', launch or '')
    monkeypatch.delenv('TORCHELASTIC_RUN_ID', raising=False)
    cfg.resume, cfg.load_from = resume, load_from
    _find_restarted(cfg)
    assert (cfg.resume, cfg.load_from) == ((True, path) if found else (resume, load_from))
