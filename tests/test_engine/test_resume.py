"""A run that was killed in the middle of an epoch ends as one that never was."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import torch

KILLER = '''
import os, signal
from mmengine.hooks import Hook
from ltkit.registry import HOOKS

@HOOKS.register_module()
class KillAt(Hook):
    """Kill this process before an iteration, as a scheduler of a cluster does."""
    def __init__(self, iteration):
        self.iteration = iteration
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)
'''

# 9 steps an epoch; the deferred weights begin in epoch 2 (0-based), the learning rate falls there.
CONFIG = '''
custom_imports = dict(imports=['kill_at'])
model = dict(
    train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0)]),
    head=dict(
        classifier=dict(type='CosineClassifier'),
        loss=dict(type='LDAMLoss', drw=dict(begin=2, beta=0.9999))))
train_dataloader = dict(
    num_workers={workers},
    persistent_workers={persistent},
    dataset=dict(pipeline=[dict(type='torchvision/RandomCrop', size=8, padding=1), dict(type='PackInputs')]),
    sampler=dict(type='{sampler}'))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=False, end=5),
    dict(type='MultiStepLR', by_epoch=True, milestones=[1, 3], gamma=0.1)]
train_cfg = dict(max_epochs=4, val_interval=2)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=2), logger=dict(interval=3))
custom_hooks = {hooks}
'''


def _same(a, b, where: str = '') -> None:
    """Every number of two checkpoints is the same, to the bit."""
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            _same(a[key], b[key], f'{where}.{key}')
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b)):
            _same(x, y, f'{where}[{i}]')
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype and torch.equal(a, b), where
    else:
        assert a == b, where


def _final(folder: Path, epoch: int = 4) -> dict:
    return torch.load(folder / f'epoch_{epoch}.pth', weights_only=True)


def _losses(checkpoint: dict) -> list[float]:
    return checkpoint['message_hub']['log_scalars']['train/loss']['history_buffer'].tolist()


@pytest.mark.parametrize('workers, sampler, commands', [
    (0, 'InstanceBalancedSampler', True),  # through tools/train.py
    (2, 'ProgressivelyBalancedSampler', False),
])
def test_killed_and_resumed_equals_never_killed(small_run, workers, sampler, commands):
    (small_run.folder / 'kill_at.py').write_text(KILLER)
    text = CONFIG.replace('{workers}', str(workers)).replace('{sampler}', sampler)
    text = text.replace('{persistent}', str(workers > 0))
    straight = small_run.config(text.format(hooks=[]), name='straight.py')
    # In the middle of the epochs 1 and 2 (0-based): before and after the weights set in.
    killing = {at: text.format(hooks=[dict(type='KillAt', iteration=at)]) for at in (13, 22)}
    first, second = (small_run.config(text, name=f'killed_{at}.py') for at, text in killing.items())

    def run(config: Path, work_dir: str, resume: bool = False, as_command: bool = False) -> int:
        if as_command:
            arguments = [config, '--work-dir', work_dir, *(['--resume'] if resume else [])]
            return small_run.tool('train.py', *arguments, check=None).returncode
        return small_run.fork(config, work_dir, resume=resume)

    assert run(straight, 'straight') == 0
    assert run(first, 'killed', as_command=commands) == -signal.SIGKILL
    assert run(second, 'killed', resume=True) == -signal.SIGKILL
    killed = small_run.folder / 'killed'
    assert {path.name for path in killed.glob('epoch_*')} == {'epoch_1.pth', 'epoch_2.pth'}
    assert not (killed / 'results.json').exists()
    assert run(straight, 'killed', resume=True, as_command=commands) == 0

    a, b = (_final(small_run.folder / name) for name in ('straight', 'killed'))
    assert len(_losses(a)) == 36 and len(set(_losses(a))) == 36
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        _same(a[key], b[key], key)
    assert _losses(a) == _losses(b)
    assert a['meta']['epoch'] == b['meta']['epoch'] == 4 and a['meta']['iter'] == b['meta']['iter'] == 36
    assert not list(killed.glob('*.part'))
    results = [json.loads((small_run.folder / name / 'results.json').read_text())
               for name in ('straight', 'killed')]
    assert results[0]['metrics'] == results[1]['metrics']
    assert [result['resumed'] for result in results] == [False, True]
