"""Tests of ltkit.engine.loops.fit_loop."""

from __future__ import annotations

import itertools
import json
import logging
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from ltkit.apis import test as evaluate
from ltkit.config import load_config
from ltkit.datasets import DigitsLT
from ltkit.engine import Runner
from ltkit.engine.loops import FitLoop
from ltkit.registry import CLASSIFIERS, HOOKS, MODELS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.checkpoint import read_checkpoint
from ltkit.utils.errors import CheckpointError, ConfigError, Interrupted

NUMBERS = itertools.count()
# Pixels as features, so that the means are known, and nothing of a schedule.
CONFIG = '''_base_ = ['ltkit::_base_/datasets/digits_lt.py', 'ltkit::_base_/default_runtime.py']
model = dict(type='{model}', backbone=dict(type='PixelFeatures', num_experts={experts}),
    neck=dict(type='GlobalAveragePooling'), head=dict({head}, num_classes=10, in_channels=64, {classifier}))
train_cfg = dict(type='FitLoop')
val_cfg = dict()
test_cfg = dict()
{more}
'''
NCM = "classifier=dict(type='NCMClassifier')"


@MODELS.register_module()
class PixelFeatures(nn.Module):
    """The pixels, scaled; an expert sees them times its number."""

    def __init__(self, num_experts: int = 1) -> None:
        super().__init__()
        if num_experts > 1:
            self.num_experts = num_experts
        self.scales = nn.Parameter((torch.arange(num_experts) + 1.0)[:, None, None, None])
        self.norm = nn.BatchNorm2d(64)  # in training it would change, and be changed

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        flat = inputs.to(self.scales.dtype).flatten(1)[:, :, None, None]
        return tuple(self.norm(flat * scale) for scale in self.scales)


@CLASSIFIERS.register_module()
class HalfFitted(nn.Linear):
    """Is fitted and has weights that are learned."""

    fit_passes = 1

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(in_channels, num_classes)

    begin_fit = fit = end_fit = print


@HOOKS.register_module()
class Recorder(Hook):
    """Notes which hooks are called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def before_train(self, runner: Any) -> None:
        self.calls.append('before_train')

    def after_train_epoch(self, runner: Any) -> None:
        self.calls.append('after_train_epoch')
        assert all(not module.training for module in runner.model.modules())

    def after_train_iter(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append('after_train_iter')

    def after_val(self, runner: Any) -> None:
        self.calls.append('after_val')


class DoubleRunner(Runner):
    """Computes in float64."""

    def build_model(self, model: Any) -> nn.Module:
        return super().build_model(model).double()


def write(folder: Path, classifier: str = NCM, more: str = '', experts: int = 1) -> Path:
    path = folder / f'config_{next(NUMBERS)}.py'
    several = "type='MultiExpertHead', num_experts=2" if experts > 1 else "type='LongTailClsHead'"
    path.write_text(CONFIG.format(model='MultiExpertRecognizer' if experts > 1 else 'ImageRecognizer', head=several,
                                  classifier=classifier, more=more, experts=experts))
    return path


def load(path: Path, work_dir: str = 'run', **options: Any) -> Any:
    cfg = load_config(path, {key.replace('__', '.'): value for key, value in options.items()})
    cfg.work_dir = str(path.parent / work_dir)
    cfg.experiment_name = f'{path.stem}_{work_dir}_{next(NUMBERS)}'
    return cfg


def runner_of(folder: Path, kind: type[Runner] = DoubleRunner, work_dir: str = 'run', options: Any = None,
              **kwargs: Any) -> Runner:
    return kind.from_cfg(load(write(folder, **kwargs), work_dir, **(options or {})))


@pytest.fixture
def log(monkeypatch):
    """The lines of the log."""
    lines: list[str] = []
    original = logging.Logger.handle
    monkeypatch.setattr(logging.Logger, 'handle',
                        lambda self, record: (lines.append(record.getMessage()), original(self, record)))
    return lines


def means_of_the_digits(factor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Mean of all training images, and of each class after centring and division by the length."""
    dataset = DigitsLT(split='train', imbalance_factor=50)
    images = np.stack([dataset[i]['img'].reshape(-1) for i in range(len(dataset))])
    mean, std = np.float32(77.8), np.float32(95.9)
    features = factor * ((images.astype(np.float32) - mean) / std).astype(np.float64) / np.sqrt(1 + 1e-5)
    labels = np.array(dataset.get_gt_labels())
    centre = sum(features) / len(features)
    centred = [row - centre for row in features]
    rows = np.stack([row / np.sqrt((row * row).sum()) for row in centred])
    return centre, np.stack([rows[labels == c].mean(0) for c in range(10)])


# ------------------------------------------------------------------------- a fit
def test_the_means_are_those_of_all_training_images(tmp_path, log):
    runner = runner_of(tmp_path, more="custom_hooks = [dict(type='Recorder')]", options=dict(train_cfg__interval=4))
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    classifier = runner.model.head.classifier
    centre, means = means_of_the_digits()
    assert np.abs(classifier.feature_mean.numpy() - centre).max() <= 1e-7  # the data preprocessor is float32
    assert np.abs(classifier.means.numpy() - means).max() <= 1e-6
    assert classifier.class_samples.tolist() == [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
    # nothing else has changed
    after = runner.model.state_dict()
    assert [name for name, value in before.items() if not torch.equal(after[name], value)] == [
        'head.classifier.means', 'head.classifier.feature_mean', 'head.classifier.class_samples',
        'head.loss_module.class_counts']  # which every run hands out
    assert all(parameter.grad is None for parameter in runner.model.parameters())
    # progress, a checkpoint, validation and results
    progress = [line for line in log if line.startswith('fit, pass')]
    assert len(progress) == 6 and 'fit, pass 1 of 2: 123 of 276 images, ' in progress[0]
    assert progress[-1].endswith('eta: 0:00:00') and 'fit, pass 2 of 2: 276 of 276 images' in progress[-1]
    assert any('NCMClassifier fitted to 276 images in' in line for line in log)
    recorder = next(hook for hook in runner.hooks if isinstance(hook, Recorder))
    assert recorder.calls == ['before_train', 'after_train_epoch', 'after_val']
    results = json.loads((tmp_path / 'run/results.json').read_text())
    assert results['epoch'] == 1 and results['metrics']['accuracy/top1'] > 75
    assert not any('not used' in line for line in log)


def test_a_test_takes_the_checkpoint_and_a_resumed_run_is_evaluated_only(tmp_path, log):
    path = write(tmp_path)
    Runner.from_cfg(load(path)).train()
    results = json.loads((tmp_path / 'run/results.json').read_text())
    checkpoint = tmp_path / 'run/epoch_1.pth'
    assert evaluate(load(path, 'test'), str(checkpoint))['metrics'] == results['metrics']
    log.clear()
    written = checkpoint.stat().st_mtime_ns
    (tmp_path / 'run/results.json').unlink()
    runner = Runner.from_cfg(load(path, resume=True))
    runner.train()
    assert not any(line.startswith('fit, pass') for line in log)
    assert json.loads((tmp_path / 'run/results.json').read_text())['metrics'] == results['metrics']
    assert checkpoint.stat().st_mtime_ns == written
    with pytest.raises(CheckpointError, match='nothing to resume'):
        Runner.from_cfg(load(path, 'empty', resume=True)).train()


def test_it_begins_from_trained_weights(tmp_path, log):
    runner = runner_of(tmp_path, Runner)
    with torch.no_grad():
        runner.model.backbone.scales.fill_(2)
    runner.train()
    assert any('features of a model that was never trained' in line for line in log)
    log.clear()
    other = runner_of(tmp_path, Runner, 'other', options=dict(load_from=str(tmp_path / 'run/epoch_1.pth')))
    other.train()
    assert not any('never trained' in line for line in log)
    assert other.model.backbone.scales.item() == 2
    assert torch.allclose(other.model.head.classifier.feature_mean, torch.tensor(means_of_the_digits(2.0)[0]).float(),
                          atol=1e-5)


def test_an_optimizer_of_the_config_is_not_used(small_run, log):
    """As it is inherited from the config of the model that was trained."""
    runner = small_run.runner("model = dict(head=dict(classifier=dict(type='NCMClassifier')))\n"
                              "train_cfg = dict(_delete_=True, type='FitLoop')")
    runner.train()
    assert any('optim_wrapper and param_scheduler of the config: not used' in line for line in log)
    assert not any('learning rate' in line for line in log)
    assert read_checkpoint(f'{runner.work_dir}/epoch_1.pth')['optimizer'] == {}


@pytest.mark.parametrize('hook', ["dict(type='CheckpointHook', by_epoch=False, interval=1)", 'None'])
def test_a_checkpoint_is_saved_whatever_the_hook(tmp_path, hook):
    runner = runner_of(tmp_path, Runner, more=f'default_hooks = dict(checkpoint={hook})')
    runner.train()
    stored = read_checkpoint(tmp_path / 'run/epoch_1.pth')
    assert stored['meta']['epoch'] == 1 and stored['state_dict']['head.classifier.class_samples'].sum() == 276
    assert (tmp_path / 'run/last_checkpoint').read_text() == str(tmp_path / 'run/epoch_1.pth')


def test_each_expert_s_classifier_has_its_own_features(tmp_path):
    runner = runner_of(tmp_path, experts=2)
    runner.train()
    for factor, classifier in enumerate(runner.model.head.classifiers, 1):
        centre, means = means_of_the_digits(factor)
        assert np.abs(classifier.feature_mean.numpy() - centre).max() <= 1e-6
        assert np.abs(classifier.means.numpy() - means).max() <= 1e-6


# ----------------------------------------------------------------- several processes
def _fit(rank: int, world_size: int, path: str, batch_size: int) -> dict[str, Any]:
    cfg = load(Path(path), f'{world_size}_{batch_size}', train_dataloader__batch_size=batch_size)
    cfg.launcher = 'pytorch' if world_size > 1 else 'none'
    runner = DoubleRunner.from_cfg(cfg)
    if rank:  # what the first process has is what counts
        with torch.no_grad():
            runner.model.backbone.scales.mul_(3)
    runner.train()
    results = next(hook for hook in runner.hooks if hasattr(hook, 'results')).results
    state = {name: value.numpy() for name, value in runner.model.state_dict().items()}
    return dict(metrics=results['metrics'], state=state)


@pytest.mark.parametrize('sampler', [
    "type='InstanceBalancedSampler'", pytest.param("type='DefaultSampler', shuffle=True", marks=pytest.mark.slow)])
def test_processes_together_fit_as_one_does(tmp_path, sampler):
    """276 images are no multiple of the batch: some come twice, but count once."""
    more = f"train_dataloader = dict(sampler=dict(_delete_=True, {sampler}))\ndefault_hooks = dict(checkpoint=None)"
    path = str(write(tmp_path, more=more))
    one = _fit(0, 1, path, 32)
    assert one['state']['head.classifier.class_samples'].sum() == 276
    for found in run_distributed(_fit, 3, path, 33):
        for name, value in one['state'].items():
            assert np.allclose(found['state'][name], value, rtol=0, atol=1e-12), name
        assert found['metrics'] == one['metrics']


# -------------------------------------------------------------------------- errors
@pytest.mark.parametrize('loader, told', [
    ("sampler=dict(type='ClassBalancedSampler')", r'ClassBalancedSampler leaves out \d+ and repeats \d+'),
    ("sampler=dict(num_samples=100)", 'InstanceBalancedSampler leaves out 176 and repeats 28'),
    ("sampler=dict(num_samples=600)", 'InstanceBalancedSampler leaves out 0 and repeats 332'),
    ("drop_last=True", 'InstanceBalancedSampler leaves out 20 and repeats 0')])
def test_samplers_that_do_not_give_each_image_once(tmp_path, loader, told):
    runner = runner_of(tmp_path, more=f'train_dataloader = dict({loader})')
    with pytest.raises(ConfigError, match=f'each of the 276 training images once, but {told}.*'
                                          r"sampler=dict\(type='InstanceBalancedSampler'\) without num_samples"):
        runner.train()


@pytest.mark.parametrize('classifier, told', [
    ('LinearClassifier', r'nothing to fit: model.head.classifier is a LinearClassifier, which is not fitted to '
     r"features; use classifier=dict\(type='NCMClassifier'\), or train it"),
    ('HalfFitted', r'takes no gradient, but model.head.classifier \(HalfFitted\) learns weight by gradients')])
def test_classifiers_that_cannot_be_fitted(tmp_path, classifier, told):
    with pytest.raises(ConfigError, match=told):
        runner_of(tmp_path, classifier=f"classifier=dict(type='{classifier}')").train()


@pytest.mark.parametrize('train_cfg', ['dict(by_epoch=True, max_epochs=1)', 'dict(by_epoch=False, max_iters=1)'])
def test_what_is_fitted_is_not_trained(small_run, train_cfg):
    text = f"model = dict(head=dict(classifier=dict(type='NCMClassifier')))\ntrain_cfg = {train_cfg}"
    text = text.replace('train_cfg = dict(', 'train_cfg = dict(_delete_=True, ')
    told = (r'model.head.classifier \(NCMClassifier\) is fitted to the features of a trained model, not trained; set '
            r"train_cfg=dict\(_delete_=True, type='FitLoop'\)")
    with pytest.raises(ConfigError, match=told):
        small_run.runner(text).train()


def test_wrong_interval(tmp_path):
    for interval in (0, 1.5, True):
        with pytest.raises(ConfigError, match=f'train_cfg.interval must be a whole number above 0, but is {interval}'):
            FitLoop(type('R', (), {})(), [], interval)


def test_a_signal_ends_it(tmp_path, monkeypatch):
    runner = runner_of(tmp_path, Runner)
    monkeypatch.setattr(type(runner.model.head.classifier), 'fit',
                        lambda self, *batch: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted, match='a signal stopped the fit; nothing of it is saved, start it again without'):
        runner.train()
    assert not list((tmp_path / 'run').glob('*.pth'))
