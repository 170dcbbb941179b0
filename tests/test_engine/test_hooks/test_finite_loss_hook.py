"""Tests of stopping at a loss that is not finite."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from ltkit.engine.hooks import FiniteLossHook
from ltkit.utils.errors import TrainingError


def _runner(folder, last: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(iter=41, epoch=0, work_dir=str(folder), logger=None, last_own_checkpoint=lambda: last,
                           train_dataloader=range(20),  # of a loop that counts iterations
                           optim_wrapper=SimpleNamespace(get_lr=lambda: dict(lr=[0.1, 0.01])))


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), -float('inf')])
def test_the_message_has_all_that_is_needed(tmp_path, bad):
    hook, runner = FiniteLossHook(), _runner(tmp_path)
    hook.after_train_iter(runner, 0, outputs=dict(loss=torch.tensor(1.0), loss_reg=torch.tensor(2.0)))
    with pytest.raises(TrainingError) as error:
        hook.after_train_iter(runner, 1, outputs=dict(loss=torch.tensor(bad), loss_cls=torch.tensor(bad),
                                                      loss_reg=torch.tensor(0.5), accuracy=torch.tensor(3.0)))
    message = str(error.value)
    for word in ('iteration 42', '(epoch 3)', f'loss_cls={bad:.4g}', 'loss_reg=0.5',
                 'learning rate 0.01, 0.1', 'there is no checkpoint of this run yet'):
        assert word in message
    assert 'accuracy' not in message and '\n' not in message


def test_the_last_checkpoint_of_this_run_is_named(tmp_path):
    torch.save(dict(meta={}), tmp_path / 'epoch_9.pth')  # of an earlier run in the same folder
    for last, words in (('epoch_3.pth', r'the last good checkpoint is epoch_3\.pth'), (None, 'no checkpoint of this')):
        with pytest.raises(TrainingError, match=words):
            FiniteLossHook().after_train_iter(_runner(tmp_path, last), 0, outputs=dict(loss=torch.tensor(math.nan)))


def test_one_term_and_lists_and_numbers(tmp_path):
    hook, runner = FiniteLossHook(), _runner(tmp_path)
    for outputs in (None, {}, dict(accuracy=float('nan')), dict(loss=1.0), dict(loss=torch.ones(3))):
        hook.after_train_iter(runner, 0, outputs=outputs)
    with pytest.raises(TrainingError):
        hook.after_train_iter(runner, 0, outputs=dict(loss=float('nan')))


def test_half_precision_is_read_as_it_is(tmp_path):
    hook = FiniteLossHook()
    hook.after_train_iter(_runner(tmp_path), 0, outputs=dict(loss=torch.tensor(60000.0, dtype=torch.float16)))
    with pytest.raises(TrainingError):
        hook.after_train_iter(_runner(tmp_path), 0, outputs=dict(loss=torch.tensor(1e5, dtype=torch.float16)))


def test_no_checkpoint_of_weights_that_are_not_finite(tmp_path):
    hook, runner = FiniteLossHook(), _runner(tmp_path)
    hook.before_save_checkpoint(runner, dict(state_dict=dict(a=torch.ones(2), n=torch.tensor(3))))
    with pytest.raises(TrainingError, match=r'head\.weight is not finite .* no checkpoint is written'):
        hook.before_save_checkpoint(
            runner, dict(state_dict={'head.weight': torch.tensor([1.0, float('inf')])}))
