"""Tests of the hook that measures how hard each class is."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook

from ltkit.engine.hooks import ClassDifficultyHook
from ltkit.evaluation.metrics import LongTailAccuracy
from ltkit.models.losses import ClassDifficultyBalancedLoss
from ltkit.registry import HOOKS
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError, DataError

HELD_OUT = 'ltkit::erm/r8_digits_lt_held_out.py'
CONFIG = '''
model = dict(head=dict(loss=dict(type='ClassDifficultyBalancedLoss', tau=1.0)))
custom_hooks = [dict(type='ClassDifficultyHook'), dict(type='Watch')]
train_cfg = dict(max_epochs=3, val_interval=1)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=3))
'''


@HOOKS.register_module(force=True)
class Watch(Hook):
    """Keeps the difficulties that each iteration trains with, and ends a run before an iteration."""

    priority = 'LOWEST'
    stop_at = None

    def __init__(self):
        self.seen = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == Watch.stop_at:
            raise KeyboardInterrupt
        self.seen[runner.iter] = runner.model.head.loss_module.difficulty.tolist()


def watched(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, Watch)).seen


@pytest.fixture
def small(small_run, monkeypatch):
    """A runner of CONFIG with more text and options, perhaps ended before an iteration."""

    def make(text='', work_dir='run', stop_at=None, base=HELD_OUT, **options):
        monkeypatch.setattr(Watch, 'stop_at', stop_at)
        return small_run.runner(small_run.config(CONFIG + text, base=base), work_dir=work_dir, **options)

    return make


def trained(runner):
    runner.train()
    return runner


def test_difficulty_is_that_of_the_epoch_before(small):
    runner = small()
    measured = []

    class Measure(Hook):
        priority = 'VERY_LOW'

        def after_val_epoch(self, runner, metrics=None):
            metric, = runner.val_loop.evaluator.metrics
            assert metric.per_class.mean() == pytest.approx(metrics['accuracy/mean_class'])
            measured.append((1 - metric.per_class / 100).astype(np.float32).tolist())

    runner.register_hook(Measure())
    runner.train()
    seen = watched(runner)
    steps = len(runner.train_dataloader)
    assert len(seen) == 3 * steps and len(measured) == 3 and len(set(map(str, measured))) > 1
    for epoch, want in enumerate([[1.0] * 10, *measured[:2]]):
        assert all(seen[epoch * steps + step] == want for step in range(steps))
    assert runner.model.head.loss_module.difficulty.tolist() == measured[2]


@pytest.mark.parametrize('loop', ['epochs', pytest.param('iterations', marks=pytest.mark.slow)])
def test_a_resumed_run_is_exact(small, loop):
    text = '' if loop == 'epochs' else (
        "train_cfg = dict(_delete_=True, by_epoch=False, max_iters=24, val_interval=8)\n"
        "param_scheduler = []\n"
        "default_hooks = dict(checkpoint=dict(by_epoch=False, interval=8))\n")
    straight = trained(small(text, 'straight'))
    assert len(straight.train_dataloader) == 8
    ended = small(text, 'ended', stop_at=16)  # the checkpoint of the second epoch is there, its validation after it
    with pytest.raises(KeyboardInterrupt):
        ended.train()
    resumed = trained(small(text, 'ended', resume=True))
    seen = watched(straight)
    assert watched(resumed) == {step: seen[step] for step in range(16, 24)}
    assert seen[15] != seen[16] != [1.0] * 10
    for key, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key


@pytest.mark.slow
def test_resumed_in_the_middle_of_an_epoch_it_keeps_the_difficulties(small):
    text = 'default_hooks = dict(checkpoint=dict(by_epoch=False, interval=6))\n'
    straight = trained(small(text, 'straight'))
    ended = small(text, 'ended', stop_at=19)
    with pytest.raises(KeyboardInterrupt):
        ended.train()
    resumed = trained(small(text, 'ended', resume=True))
    assert watched(resumed) == {step: watched(straight)[step] for step in range(18, 24)}
    assert torch.equal(straight.model.head.loss_module.difficulty, resumed.model.head.loss_module.difficulty)


def test_an_average_of_the_weights_does_not_take_the_difficulties_away(small):
    runner = trained(small("custom_hooks.append(dict(type='EMAHook'))"))
    metric, = runner.val_loop.evaluator.metrics
    want = torch.tensor(1 - metric.per_class / 100, dtype=torch.float32)
    assert torch.equal(runner.model.head.loss_module.difficulty, want)


@pytest.mark.parametrize('text, words', [
    ("val_dataloader = dict(dataset=dict(split='test'))", 'train on the test set'),
    ("test_dataloader = dict(dataset=dict(split='held_out', held_out=10))", 'train on the test set'),
    ('val_dataloader = None\nval_cfg = None\nval_evaluator = None', 'needs a validation set'),
    ('train_cfg.update(val_interval=2)', r'after every epoch; set train_cfg.val_interval=1 \(it is 2\)'),
    ('train_cfg.update(val_begin=2)', 'set train_cfg.val_begin=1'),
    ('train_cfg.update(dynamic_intervals=[(2, 5)])', 'set train_cfg.dynamic_intervals=1'),
    ('train_cfg = dict(_delete_=True, by_epoch=False, max_iters=24, val_interval=9)',
     r'val_interval=8 iterations, an epoch \(it is 9\)'),
    ("val_evaluator = dict(_delete_=True, type='Calibration')", 'add it to val_evaluator'),
    ("model = dict(head=dict(loss=dict(_delete_=True, type='SoftmaxLoss')))", 'finds nothing in the model'),
])
def test_refused_in_one_line(small, text, words):
    runner = small(text)
    with pytest.raises(ConfigError, match=words) as raised:
        runner.train()
    assert '\n' not in str(raised.value)
    assert not watched(runner)


def sample(index, label, prediction):
    return dict(pred_score=torch.eye(3)[prediction], gt_label=torch.tensor([label]), sample_idx=index)


def hand_out(samples, size):
    """What the hook tells a loss after a validation of these samples."""
    evaluator = Evaluator([LongTailAccuracy(groups=False)])
    evaluator.process(data_samples=samples)
    evaluator.evaluate(size)
    model = torch.nn.Sequential(ClassDifficultyBalancedLoss(class_counts=[5, 3, 2]))
    ClassDifficultyHook().after_val_epoch(SimpleNamespace(model=model, val_loop=SimpleNamespace(evaluator=evaluator)))
    return model[0].difficulty


SAMPLES = [(0, 0, 0), (1, 0, 0), (2, 0, 1), (3, 0, 0), (4, 1, 0), (5, 1, 2), (6, 2, 2), (7, 2, 2)]


def _part(rank, world_size):
    return hand_out([sample(*one) for one in SAMPLES[rank::world_size]], len(SAMPLES)).tolist()


def test_all_processes_are_told_the_same():
    want = [0.25, 1.0, 0.0]
    assert _part(0, 1) == want
    assert run_distributed(_part, 2) == [want, want]


def test_a_class_without_a_validation_image():
    with pytest.raises(DataError, match='class 1 has no validation image'):
        hand_out([sample(*one) for one in SAMPLES if one[1] != 1], 6)
