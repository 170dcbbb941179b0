"""Steps of a training outside its run."""

from __future__ import annotations

import pytest
import torch
from mmengine.runner import IterBasedTrainLoop

from ltkit.apis.benchmark.training_steps import begin_training, first_epoch, steps_from, training_steps
from ltkit.utils.errors import ConfigError

EPOCHS, STEPS = 2, 9
SHORT = f'train_cfg = dict(max_epochs={EPOCHS})\n'


def weights(runner):
    return {name: value.clone() for name, value in runner.model.state_dict().items()}


def test_all_steps_are_the_training(small_run, tmp_path):
    path = small_run.config(SHORT, base='ltkit::balms/r8_digits_lt.py')
    trained = small_run.runner(path)
    trained.train()
    runner = begin_training(small_run.load(path), tmp_path)
    steps = steps_from(runner.train_loop, 0)
    for _ in range(EPOCHS * STEPS):
        next(steps)
    for name, value in weights(trained).items():
        assert torch.equal(value, runner.model.state_dict()[name]), name


def test_the_last_epochs_are_taken_whole(small_run, tmp_path):
    runner = begin_training(small_run.load('train_cfg = dict(max_epochs=10)'), tmp_path)
    loop = runner.train_loop
    assert [first_epoch(loop, needed) for needed in (1, STEPS, STEPS + 1, 10 * STEPS)] == [9, 9, 8, 0]
    steps = steps_from(loop, 8)
    for _ in range(STEPS + 1):
        next(steps)
    assert (runner.epoch, runner.iter) == (9, 9 * STEPS + 1)


def test_nothing_is_evaluated_or_kept(small_run, monkeypatch):
    monkeypatch.chdir(small_run.folder)
    monkeypatch.setattr('mmengine.runner.ValLoop.run', None)
    config = small_run.load('train_cfg = dict(max_epochs=10, val_interval=1)\nload_from = "nowhere.pth"')
    before = sorted(small_run.folder.rglob('*'))
    with training_steps(config, 2 * STEPS) as take:
        take(2 * STEPS)
    assert sorted(small_run.folder.rglob('*')) == before


def test_what_has_no_epochs_or_too_few(small_run):
    with pytest.raises(ConfigError, match='has 18 iterations, fewer than the 19'), \
            training_steps(small_run.load(SHORT), 19):
        pass
    text = ("train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=20, val_interval=20)\n"
            'param_scheduler = None')
    with pytest.raises(ConfigError, match=f'{IterBasedTrainLoop.__name__} has no epochs'), \
            training_steps(small_run.load(text), 2):
        pass
    with pytest.raises(ConfigError, match='no train_dataloader'), \
            training_steps(small_run.load('train_dataloader = None\ntrain_cfg = None\noptim_wrapper = None\n'
                                          'param_scheduler = None'), 2):
        pass
