"""A run that a signal stopped and that was resumed ends as one without the signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from ltkit.engine.hooks import PreemptionHook

SENDER = '''
import os, signal
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from ltkit.registry import HOOKS

@HOOKS.register_module()
class SendAt(Hook):
    """Send a signal before an iteration, in one process or to the whole group, or before an evaluation."""
    def __init__(self, number, iteration=None, rank=0, group=False):
        self.number, self.iteration, self.rank, self.group = number, iteration, rank, group
    def send(self):
        if get_rank() == self.rank:
            (os.killpg if self.group else os.kill)(os.getpgid(0) if self.group else os.getpid(), self.number)
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            self.send()
    def before_val_epoch(self, runner):
        if self.iteration is None:
            self.send()
'''

# 9 steps an epoch.
CONFIG = '''
custom_imports = dict(imports=['send_at'])
model = dict(
    train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]),
    head=dict(loss=dict(type='LDAMLoss', drw=dict(begin=1, beta=0.9999)), classifier=dict(type='CosineClassifier')))
train_dataloader = dict(num_workers={workers}, persistent_workers={workers} > 0)
param_scheduler = [dict(type='LinearLR', start_factor=0.2, by_epoch=False, end=5),
                   dict(type='MultiStepLR', by_epoch=True, milestones=[1], gamma=0.1)]
optim_wrapper = dict(accumulative_counts={accumulation})
train_cfg = dict(max_epochs=3, val_interval=2)
custom_hooks = {hooks}
'''


@pytest.fixture
def make(small_run):
    """Write the config of a run that gets a signal."""
    (small_run.folder / 'send_at.py').write_text(SENDER)

    def write(name: str, workers: int = 0, accumulation: int = 1, **sender):
        hooks = [dict(type='SendAt', **sender)] if sender else []
        text = CONFIG.format(workers=workers, accumulation=accumulation, hooks=hooks)
        return small_run.config(text, name=f'{name}.py')
    return write


def _same_end(small_run, *names: str, statistics: float = 0) -> None:
    a, b = (torch.load(small_run.folder / name / 'epoch_3.pth', weights_only=True) for name in names)
    assert a['meta']['iter'] == b['meta']['iter']
    assert a['state_dict'].keys() == b['state_dict'].keys()
    for key, value in a['state_dict'].items():
        tolerance = statistics if 'running_' in key else 0
        assert torch.allclose(value, b['state_dict'][key], rtol=tolerance, atol=tolerance), key
    momenta = [[state['momentum_buffer'] for state in c['optimizer']['state'].values()] for c in (a, b)]
    assert len(momenta[0]) > 0 and all(torch.equal(x, y) for x, y in zip(*momenta))
    results = [json.loads((small_run.folder / name / 'results.json').read_text()) for name in names]
    assert results[0]['metrics'] == results[1]['metrics'] or statistics


def _stopped(done: subprocess.CompletedProcess, name: str, iteration: int, folder) -> None:
    assert done.returncode == 75, done.stdout[-3000:] + done.stderr[-3000:]
    line = f'stopped: {name}: saved after iteration {iteration} in {folder}/interrupted.pth; --resume continues there'
    assert line in done.stderr.splitlines(), done.stderr[-3000:]
    assert {path.name for path in folder.glob('*.p*')} == {'interrupted.pth', 'stopped.py'}


@pytest.mark.parametrize('number, iteration, saved', [(signal.SIGTERM, 12, 13), (signal.SIGUSR1, 17, 18)])
def test_one_process_as_a_user_runs_it(small_run, make, number, iteration, saved):
    """In the middle of an epoch and in its last iteration."""
    straight = make('straight')
    assert small_run.fork(straight, 'straight') == 0
    folder = small_run.folder / 'stopped'
    config = make('stopped', number=int(number), iteration=iteration)
    done = small_run.tool('train.py', config, '--work-dir', folder, check=None)
    _stopped(done, number.name, saved, folder)
    assert 'Traceback' not in done.stderr
    resumed = small_run.tool('train.py', straight, '--work-dir', folder, '--resume')
    assert f'resumed epoch: {saved // 9}, iter: {saved}' in resumed.stdout + resumed.stderr
    assert not (folder / 'interrupted.pth').exists()  # the next checkpoint replaced it
    _same_end(small_run, 'straight', 'stopped')


@pytest.mark.slow
def test_signal_to_the_whole_group(small_run, make, repo_root):
    """As a scheduler does: the workers of the data loader get it too."""
    config = make('stopped', workers=2, number=int(signal.SIGTERM), iteration=12, group=True)
    folder = small_run.folder / 'stopped'
    command = [sys.executable, str(repo_root / 'tools/train.py'), str(config), '--work-dir', str(folder)]
    done = subprocess.run(command, cwd=small_run.folder, capture_output=True, text=True, timeout=120,
                          start_new_session=True, env={**os.environ, 'OMP_NUM_THREADS': '1'})
    _stopped(done, 'SIGTERM', 13, folder)
    straight = make('straight', workers=2)
    assert small_run.fork(straight, 'straight') == 0 and small_run.fork(straight, 'stopped', resume=True) == 0
    _same_end(small_run, 'straight', 'stopped')


@pytest.mark.parametrize('sender, accumulation, saved', [
    (dict(iteration=12), 2, 14),  # 18 micro-batches an epoch: the step is completed
    (dict(), 1, 19)])  # in validation after epoch 2: its end comes first
def test_whole_steps_and_validation(small_run, make, sender, accumulation, saved):
    straight = make('straight', accumulation=accumulation)
    config = make('stopped', accumulation=accumulation, number=int(signal.SIGTERM), **sender)
    assert small_run.fork(straight, 'straight') == 0
    assert small_run.fork(config, 'stopped') == 1  # the exception, not the tool's status
    stored = torch.load(small_run.folder / 'stopped' / 'interrupted.pth', weights_only=True)
    assert stored['meta']['iter'] == saved
    assert small_run.fork(straight, 'stopped', resume=True) == 0
    _same_end(small_run, 'straight', 'stopped')


def test_a_sampler_that_cannot_begin_in_the_middle_of_an_epoch(small_run, make):
    """What was saved there could not be resumed."""
    config = make('stopped', number=int(signal.SIGTERM), iteration=12)
    sampler = "train_dataloader.update(sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True))\n"
    config.write_text(config.read_text() + sampler)
    assert small_run.fork(config, 'stopped') == 1
    stored = torch.load(small_run.folder / 'stopped' / 'interrupted.pth', weights_only=True)
    assert (stored['meta']['epoch'], stored['meta']['iter']) == (2, 18)
    config.write_text(config.read_text() + 'custom_hooks = []\n')
    assert small_run.fork(config, 'stopped', resume=True) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_agreement_on_gpus_reads_the_sum_of_the_time_before(monkeypatch):
    monkeypatch.setattr('torch.distributed.get_backend', lambda: 'nccl')
    monkeypatch.setattr('torch.distributed.all_reduce', lambda flag: flag.mul_(2))
    monkeypatch.setattr('ltkit.engine.hooks.preemption_hook.get_world_size', lambda: 2)
    hook, signals = PreemptionHook(interval=3), SimpleNamespace(received=None)
    runner, answers = SimpleNamespace(stop_signals=signals), []
    for call in range(1, 13):
        signals.received = 'SIGTERM' if call >= 5 else None
        answers.append(hook._agreed(runner))
    assert [call for call, answer in enumerate(answers, 1) if answer] == [9, 12]


@pytest.mark.slow
def test_two_processes_stop_at_one_step(small_run, make):
    straight = make('straight')
    config = make('stopped', number=int(signal.SIGTERM), iteration=12, rank=1)
    folder = small_run.folder / 'stopped'
    small_run.tool('dist_train.sh', straight, 2, '--work-dir', 'straight', CUDA_VISIBLE_DEVICES='')
    done = small_run.tool('dist_train.sh', config, 2, '--work-dir', folder, check=None, CUDA_VISIBLE_DEVICES='')
    _stopped(done, 'SIGTERM', 13, folder)
    assert 'a signal to another process: saved after iteration 13' in done.stderr
    small_run.tool('dist_train.sh', straight, 2, '--work-dir', folder, '--resume', CUDA_VISIBLE_DEVICES='')
    # The running statistics were averaged over the processes once more: the same but for rounding.
    _same_end(small_run, 'straight', 'stopped', statistics=1e-5)


