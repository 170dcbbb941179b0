"""Tests of the start of the processes."""

from __future__ import annotations

import json
import os

import pytest

from ltkit.apis import test as run_test
from ltkit.apis import train
from ltkit.config import load_config
from ltkit.engine import launch
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError

VARIABLES = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'LOCAL_WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT', 'PORT')


@pytest.fixture
def clean(monkeypatch):
    """No launcher's variables; what the test sets is gone after it."""
    for name in [*VARIABLES, *(name for name in os.environ if name.startswith('SLURM_'))]:
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def groups(monkeypatch):
    """The process groups that would be made."""
    made: list[str] = []
    monkeypatch.setattr(
        launch.torch_dist, 'init_process_group', lambda backend, **kwargs: made.append(backend))
    monkeypatch.setattr(launch.torch_dist, 'get_rank', lambda: 0)
    monkeypatch.setattr(launch.torch_dist, 'get_world_size', lambda: 2)
    monkeypatch.setattr(launch.torch.cuda, 'set_device', lambda device: None)
    return made


def _gpus(monkeypatch, count: int) -> None:
    monkeypatch.setattr(launch.torch.cuda, 'is_available', lambda: count > 0)
    monkeypatch.setattr(launch.torch.cuda, 'device_count', lambda: count)


def _launched(monkeypatch, **values: str) -> None:
    for name, value in {'RANK': '0', 'WORLD_SIZE': '2', 'LOCAL_RANK': '0', 'MASTER_ADDR': '127.0.0.1',
                        'MASTER_PORT': '1', **values}.items():
        monkeypatch.setenv(name, value)


def test_without_a_launcher_nothing_happens(clean, groups):
    launch.init_processes('none')
    assert groups == []


def test_unknown_launcher(clean):
    with pytest.raises(ConfigError, match="launcher 'mpi' is unknown; use none, pytorch or slurm"):
        launch.init_processes('mpi')


def test_environment_of_torchrun_is_missing(clean):
    with pytest.raises(ConfigError, match=r'needs RANK, WORLD_SIZE, LOCAL_RANK, .* tools/dist_train\.sh'):
        launch.init_processes('pytorch')
    clean.setenv('RANK', '0')
    with pytest.raises(ConfigError, match='needs WORLD_SIZE'):
        launch.init_processes('pytorch')


def test_processes_without_a_gpu_say_so(clean, groups, capsys):
    _gpus(clean, 0)
    _launched(clean)
    launch.init_processes('pytorch', timeout=30)
    assert groups == ['gloo']
    assert capsys.readouterr().out == 'no GPU found: 2 processes on the CPU, connected by gloo\n'


@pytest.mark.parametrize('local_size, gpus', [('2', 1), ('8', 4)])
def test_more_processes_than_gpus(clean, groups, local_size, gpus):
    _gpus(clean, gpus)
    _launched(clean, LOCAL_WORLD_SIZE=local_size)
    with pytest.raises(ConfigError) as error:
        launch.init_processes('pytorch')
    assert str(error.value) == f'{local_size} processes were started on a machine with {gpus} GPU(s); ' \
        f'use at most {gpus}'
    _launched(clean, LOCAL_WORLD_SIZE=str(gpus))
    launch.init_processes('pytorch')
    assert groups == ['nccl']


def test_slurm(clean, groups):
    _gpus(clean, 0)
    with pytest.raises(ConfigError, match=r'SLURM_PROCID .*tools/slurm_train\.sh'):
        launch.init_processes('slurm')
    slurm = dict(PROCID='3', NTASKS='8', LOCALID='1', NTASKS_PER_NODE='4', NODELIST='gpu[03-04]')
    for name, value in slurm.items():
        clean.setenv(f'SLURM_{name}', value)
    launch.init_processes('slurm')
    found = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    assert found == dict(RANK='3', WORLD_SIZE='8', LOCAL_RANK='1', LOCAL_WORLD_SIZE='4', MASTER_ADDR='gpu03',
                         MASTER_PORT='29500')
    assert groups == ['gloo']


@pytest.mark.parametrize('nodes, first', [
    ('login', 'login'), ('a1,a2', 'a1'), ('gpu[03-05,9],login', 'gpu03'), ('gpu[7]', 'gpu7'),
    ('n1,gpu[2-3]', 'n1'), ('rack2-gpu[001,004]', 'rack2-gpu001')])
def test_first_node(nodes, first):
    assert launch._first_node(nodes) == first


def test_two_processes_train_as_a_user_does(small_run):
    """dist_train.sh, and the metrics of the whole test set."""
    config = small_run.config('train_cfg = dict(max_epochs=2, val_interval=2)')
    done = small_run.tool('dist_train.sh', config, 2, '--work-dir', 'two', CUDA_VISIBLE_DEVICES='')
    assert 'no GPU found: 2 processes on the CPU, connected by gloo' in done.stdout
    assert '32 = 2 process(es) x 16 samples' in done.stdout + done.stderr
    results = json.loads((small_run.folder / 'two' / 'results.json').read_text())
    assert results['processes'] == 2
    one = run_test(small_run.load(config), str(small_run.folder / 'two' / 'epoch_2.pth'))
    assert one['metrics'] == results['metrics'] and one['per_class_accuracy'] == results['per_class_accuracy']


def _train(rank: int, world_size: int, path: str) -> None:
    cfg = load_config(path)
    cfg.launcher, cfg.work_dir, cfg.experiment_name = 'pytorch', f'{path}.run', 'two_of_33'
    train(cfg)


def test_a_batch_that_two_processes_cannot_share(small_run):
    config = small_run.config('train_dataloader = dict(batch_size=33)')
    with pytest.raises(ConfigError, match='batch_size is 33 for one optimiser step, which 2 processes'):
        run_distributed(_train, 2, str(config))
