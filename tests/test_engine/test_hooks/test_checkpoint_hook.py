"""There is a whole checkpoint at each moment."""

from __future__ import annotations

import os
import signal

import pytest
import torch

from ltkit.config import load_config
from ltkit.engine.hooks import CheckpointHook
from ltkit.utils.checkpoint import latest_checkpoint
from ltkit.utils.errors import ConfigError

TEXT = 'train_cfg = dict(max_epochs=3, val_interval=3)\n' \
    'default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts={keep}))'


def _names(folder) -> set[str]:
    return {path.name for path in folder.glob('*.pth')}


def test_it_is_the_default(small_run):
    hooks = [type(hook) for hook in small_run.runner(TEXT.format(keep=1)).hooks]
    assert hooks.count(CheckpointHook) == 1


@pytest.mark.parametrize('keep', [1, 2])
def test_the_outdated_one_goes_after_the_new_one_is_there(small_run, monkeypatch, keep):
    folder, steps = small_run.folder / 'run', []
    remove, replace = os.remove, os.replace

    def seen(function):
        def wrapped(*args):
            function(*args)
            if str(args[-1]).endswith('.pth'):
                steps.append(_names(folder))
        return wrapped
    monkeypatch.setattr(os, 'remove', seen(remove))
    monkeypatch.setattr(os, 'replace', seen(replace))
    small_run.runner(TEXT.format(keep=keep)).train()
    expected = {
        1: [{'epoch_1.pth'}, {'epoch_1.pth', 'epoch_2.pth'}, {'epoch_2.pth'},
            {'epoch_2.pth', 'epoch_3.pth'}, {'epoch_3.pth'}],
        2: [{'epoch_1.pth'}, {'epoch_1.pth', 'epoch_2.pth'}, {'epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth'},
            {'epoch_2.pth', 'epoch_3.pth'}]}
    assert steps == expected[keep]
    assert (folder / 'last_checkpoint').read_text() == str(folder / 'epoch_3.pth')


def test_killed_before_the_outdated_one_was_deleted(small_run, monkeypatch):
    def die(path):
        if str(path).endswith('epoch_1.pth'):
            os.kill(os.getpid(), signal.SIGKILL)
        return os.unlink(path)
    folder = small_run.folder / 'run'
    with monkeypatch.context() as patched:
        patched.setattr(os, 'remove', die)
        assert small_run.fork(TEXT.format(keep=1)) == -signal.SIGKILL
    assert _names(folder) == {'epoch_1.pth', 'epoch_2.pth'}
    small_run.runner(TEXT.format(keep=1), resume=True).train()
    assert _names(folder) == {'epoch_3.pth'}


def test_the_newest_of_epochs_and_iterations_is_found(small_run, monkeypatch):
    small_run.runner(TEXT.format(keep=3)).train()
    folder = small_run.folder / 'run'
    (folder / 'iter_13.pth').write_bytes((folder / 'epoch_1.pth').read_bytes())
    os.utime(folder / 'iter_13.pth', (0, 0))
    (folder / 'last_checkpoint').unlink()
    assert latest_checkpoint(folder) == str(folder / 'epoch_3.pth')
    assert latest_checkpoint(folder, lambda stored: stored['meta']['epoch'] < 3) == str(folder / 'epoch_2.pth')
    assert latest_checkpoint(folder, lambda stored: False) is None
    (folder / 'interrupted.pth').write_bytes((folder / 'epoch_1.pth').read_bytes())
    assert latest_checkpoint(folder) == str(folder / 'interrupted.pth')


def test_a_slip_in_an_argument_is_found_before_training(small_run):
    with pytest.raises(ConfigError, match="has no argument 'intervl'; did you mean 'interval'"):
        load_config(small_run.config('default_hooks = dict(checkpoint=dict(intervl=5))'))
    with pytest.raises(ConfigError, match=r"^CheckpointHook has no argument 'intervl'"):
        CheckpointHook(intervl=5)
    assert CheckpointHook(interval=5, save_best='auto').interval == 5


@pytest.mark.parametrize('options, fault', [
    ('interval=6', None), ('interval=7', r'interval=7 .* step of 2 accumulated .* for example 8$'),
    ('interval=4, save_begin=3', 'save_begin=3 .* for example 4$')])
def test_no_checkpoint_in_the_middle_of_a_step(small_run, options, fault):
    """Half of the gradients of the step would be lost on resuming."""
    runner = small_run.runner('train_cfg = dict(max_epochs=1)\noptim_wrapper = dict(accumulative_counts=2)\n'
                              f'default_hooks = dict(checkpoint=dict(by_epoch=False, {options}))')
    if fault is None:
        runner.train()
        assert 'iter_18.pth' in _names(small_run.folder / 'run')
    else:
        with pytest.raises(ConfigError, match=fault):
            runner.train()


def test_a_checkpoint_by_iterations_has_the_statistics_of_all_processes(small_run, monkeypatch):
    """A resumed run would go on with those of the first process alone."""
    def average(runner):
        for name, buffer in runner.model.named_buffers():
            if name.endswith('running_mean'):
                buffer.fill_(7)
    monkeypatch.setattr('ltkit.engine.hooks.SyncStatisticsHook.average', staticmethod(average))
    small_run.runner('train_cfg = dict(max_epochs=1)\n'
                     'default_hooks = dict(checkpoint=dict(by_epoch=False, interval=4, max_keep_ckpts=-1))').train()
    state = torch.load(small_run.folder / 'run' / 'iter_4.pth', weights_only=True)['state_dict']
    means = [value for name, value in state.items() if name.endswith('running_mean')]
    assert len(means) > 0 and all((mean == 7).all() for mean in means)
