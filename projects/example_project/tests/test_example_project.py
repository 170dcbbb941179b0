"""Tests of the example project: conformance, the equations, and a run in a copied folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from example_project import PowerSampler, TailWatchHook, TemperedBalancedSoftmaxLoss

from ltkit.testing import parametrize_with_checks
from ltkit.utils.errors import ConfigError

PROJECT = Path(__file__).resolve().parents[1]
CONFIG = PROJECT / 'configs' / 'tempered_r8_digits_lt.py'
COUNTS = [100, 30, 4]


class Labels:
    """A data set that knows its labels alone."""

    def __len__(self) -> int:
        return sum(COUNTS)

    def get_gt_labels(self) -> np.ndarray:
        return np.repeat(np.arange(len(COUNTS)), COUNTS)


@parametrize_with_checks('loss', TemperedBalancedSoftmaxLoss)
def test_loss_conforms(check) -> None:
    check()


@parametrize_with_checks('sampler', PowerSampler)
def test_sampler_conforms(check) -> None:
    check()


@pytest.mark.parametrize('temperature', [0.0, 0.5, 1.0])
def test_loss_is_its_equation(temperature: float) -> None:
    logits = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0, 0, 1, 2, 2, 1, 0])
    terms = []
    for scores, label in zip(logits.tolist(), target.tolist()):
        parts = [count**temperature * np.exp(score) for count, score in zip(COUNTS, scores)]
        terms.append(-np.log(parts[label] / sum(parts)))
    loss = TemperedBalancedSoftmaxLoss(temperature, class_counts=COUNTS)(logits, target)
    assert loss.item() == pytest.approx(np.mean(terms), abs=1e-10)


@pytest.mark.parametrize('correction', [0.0, 0.5, 1.0])
def test_sampler_draws_its_class_probabilities(correction: float) -> None:
    sampler = PowerSampler(Labels(), correction=correction, seed=0, num_samples=50_000)
    drawn = Labels().get_gt_labels()[sampler.epoch_indices()]
    expected = np.array(COUNTS) ** (1 - correction)
    assert np.bincount(drawn) / len(drawn) == pytest.approx(expected / expected.sum(), abs=0.01)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ConfigError, match=r'temperature must be >= 0, but is -1'):
        TemperedBalancedSoftmaxLoss(temperature=-1)
    with pytest.raises(ConfigError, match=r'correction must be in \[0, 1\], but is 2'):
        PowerSampler(Labels(), correction=2)


def test_hook_goes_on_after_a_resume(tmp_path: Path) -> None:
    def train(epochs: range, values: list[float]) -> list[dict]:
        hook = TailWatchHook()
        runner = SimpleNamespace(work_dir=str(tmp_path), epoch=epochs.start,
                                 logger=SimpleNamespace(info=lines.append))
        hook.before_train(runner)
        for epoch, value in zip(epochs, values):
            runner.epoch = epoch + 1
            hook.after_val_epoch(runner, {'accuracy/few': value})
        return json.loads((tmp_path / 'tail_watch.json').read_text())

    lines: list[str] = []
    train(range(0, 3), [10.0, 30.0, 20.0])
    assert lines[-1] == 'TailWatchHook: accuracy/few 20.00, best so far 30.00 (epoch 2)'
    resumed = train(range(2, 4), [21.0, 25.0])  # epoch 3 is trained again
    assert [row['accuracy/few'] for row in resumed] == [10.0, 30.0, 21.0, 25.0]
    assert [row['epoch'] for row in train(range(0, 1), [5.0])] == [1]
    with pytest.raises(ConfigError, match=r"no metric 'accuracy/few'; this evaluation has accuracy/top1"):
        TailWatchHook().after_val_epoch(SimpleNamespace(epoch=1), {'accuracy/top1': 1.0})


RUN = """
from ltkit.apis import train
from ltkit.config import implied_prior_warnings, load_config
cfg = load_config('my_project/configs/tempered_r8_digits_lt.py',
                  {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 1, 'work_dir': 'run'})
assert implied_prior_warnings(cfg) == []
import example_project
assert 'my_project' in example_project.__file__
train(cfg)
"""


def test_a_copied_folder_trains_without_being_installed(tmp_path: Path) -> None:
    shutil.copytree(PROJECT, tmp_path / 'my_project', ignore=shutil.ignore_patterns('__pycache__', 'work_dirs'))
    done = subprocess.run([sys.executable, '-c', RUN], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / 'run' / 'results.json').read_text())
    history = json.loads((tmp_path / 'run' / 'tail_watch.json').read_text())
    assert [row['epoch'] for row in history] == [1, 2]
    assert history[-1]['accuracy/few'] == results['metrics']['accuracy/few']


def test_too_much_correction_is_warned_of() -> None:
    from ltkit.config import implied_prior_warnings, load_config
    cfg = load_config(CONFIG, {'model.head.loss.temperature': 1.0})
    (warning,) = implied_prior_warnings(cfg)
    assert 'PowerSampler' in warning and 'TemperedBalancedSoftmaxLoss' in warning
