"""Tests of ltkit.engine.hooks.fit_hook."""

from __future__ import annotations

import itertools
import logging
import signal

import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from ltkit.config import load_config
from ltkit.engine import Runner
from ltkit.engine.hooks import FitHook
from ltkit.registry import HOOKS, MODELS
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError, Interrupted

NUMBERS = itertools.count()
# A memory that learns beside the classifier; images change from epoch to epoch, but for the memory.
CONFIG = '''
model = dict(head=dict(classifier=dict(type='OLTRClassifier', centroid_lr=0.5),
    regularizers=[dict(type='DiscriminativeCentroidLoss', average_step=True)]))
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'), dataset=dict(pipeline=[
    dict(type='torchvision/RandomCrop', size=8, padding=1), dict(type='PackInputs')]))
train_cfg = dict(max_epochs=3, val_interval=5)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=9))
custom_hooks = [dict(type='MemoryRecorder')]
'''
MEMORY = 'head.classifier.centroids'


@HOOKS.register_module()
class MemoryRecorder(Hook):
    """Keeps the memory as it is before the first step, and ends a run before an epoch as a signal does."""

    at = None

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 0:
            self.memory = runner.model.head.classifier.centroids.detach().clone()
            self.state = {name: value.clone() for name, value in runner.model.state_dict().items()}

    def before_train_epoch(self, runner):
        if runner.epoch == MemoryRecorder.at:
            raise KeyboardInterrupt


@HOOKS.register_module()
class MemoryGiver(Hook):
    """Sets the memory without a fit."""

    memory = None

    def before_train(self, runner):
        with torch.no_grad():
            runner.model.head.classifier.centroids.copy_(MemoryGiver.memory)


@MODELS.register_module()
class InputsAsWeights(nn.Module):
    """A small network in the precision of its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 64, 3, stride=2)
        self.norm = nn.BatchNorm2d(64)  # in training it would change, and be changed

    def forward(self, inputs):
        return self.norm(self.layer(inputs.to(self.layer.weight.dtype))).relu(),


class DoubleRunner(Runner):
    """Computes in float64."""

    def build_model(self, model):
        return super().build_model(model).double()


@pytest.fixture
def make(small_run, monkeypatch):
    """A runner of CONFIG with more text and options, perhaps ended before an epoch."""

    def build(text='', stop_at=None, **options):
        monkeypatch.setattr(MemoryRecorder, 'at', stop_at)
        return small_run.runner(small_run.config(CONFIG + text), **options)

    return build


@pytest.fixture
def log():
    """Messages of the log."""
    lines = []

    class Handler(logging.Handler):

        def emit(self, record):
            lines.append(record.getMessage())

    handler = Handler()
    make_record = logging.Logger.handle

    def handle(self, record):
        handler.emit(record)
        make_record(self, record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.Logger, 'handle', handle)
        yield lines


def recorder(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, MemoryRecorder))


def double(folder, world_size=1, epochs=3):
    text = f"{CONFIG}model = dict(**model, backbone=dict(_delete_=True, type='InputsAsWeights'))\n"
    path = folder / f'double_{world_size}_{next(NUMBERS)}.py'
    path.write_text("_base_ = 'ltkit::erm/r8_digits_lt.py'\n" + text)
    cfg = load_config(path, {'train_cfg.max_epochs': epochs})
    cfg.work_dir, cfg.experiment_name = str(folder / path.stem), path.stem
    cfg.launcher = 'none' if world_size == 1 else 'pytorch'
    return DoubleRunner.from_cfg(cfg)


def test_the_memory_is_the_class_means_before_the_first_step(tmp_path):
    runner = double(tmp_path, epochs=1)
    dataset = runner.val_dataloader.dataset  # for its pipeline, without augmentation
    train = type(dataset)(split='train', imbalance_factor=50, pipeline=[dict(type='PackInputs')])
    runner.train()
    found = recorder(runner)
    model = runner.model
    model.load_state_dict(found.state)
    model.eval()
    sums, counts = torch.zeros(10, 64, dtype=torch.float64), torch.zeros(10)
    for index in range(len(train)):
        sample = train[index]
        data = model.data_preprocessor(dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']]), False)
        with torch.no_grad():
            sums[int(sample['data_samples'].gt_label)] += model.backbone(data['inputs'])[0].mean((2, 3))[0]
        counts[int(sample['data_samples'].gt_label)] += 1
    assert counts.tolist() == [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
    assert (found.memory - sums / counts[:, None]).abs().max() <= 1e-10
    assert found.state['backbone.norm.num_batches_tracked'] == 0


def test_it_learns_from_there_and_a_resumed_run_does_not_fit_again(make, log):
    whole = make(work_dir='whole')
    whole.train()
    assert sum('OLTRClassifier fitted to 276 images' in line for line in log) == 1
    assert not torch.equal(recorder(whole).memory, whole.model.state_dict()[MEMORY])
    with pytest.raises(KeyboardInterrupt):
        make(work_dir='ended', stop_at=2).train()
    log.clear()
    resumed = make(work_dir='ended', resume=True)
    resumed.train()
    assert resumed.epoch == 3 and not any('fit, pass' in line or 'fitted' in line for line in log)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_training_goes_on_as_if_the_values_had_been_given(make, monkeypatch):
    fitted = make(work_dir='fitted')
    fitted.train()
    monkeypatch.setattr(MemoryGiver, 'memory', recorder(fitted).memory)
    given = make("default_hooks = dict(fit=None)\ncustom_hooks = [dict(type='MemoryGiver')]", work_dir='given')
    given.train()
    for name, value in fitted.model.state_dict().items():
        assert torch.equal(value, given.model.state_dict()[name]), name


def test_a_memory_from_a_checkpoint_stays(make, small_run, log):
    first = make(train_cfg__max_epochs=1)
    first.train()
    assert any('features of a model that was never trained' in line for line in log)
    path = str(small_run.folder / 'run/epoch_1.pth')
    tuned = make(work_dir='tuned', load_from=path, train_cfg__max_epochs=1)
    tuned.train()
    assert torch.equal(recorder(tuned).memory, first.model.state_dict()[MEMORY])
    log.clear()
    again = make("reinitialize = ['head.classifier']", work_dir='again', load_from=path, train_cfg__max_epochs=1)
    again.train()
    assert any('OLTRClassifier fitted to 276 images' in line for line in log)
    assert not any('never trained' in line for line in log)


def test_the_optimizer_s_schedule_is_that_of_the_memory_too(make):
    runner = make("param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[2])]")
    runner.train()
    rates = {id(group['params'][0]): group['lr'] for group in runner.optim_wrapper.optimizer.param_groups}
    assert rates[id(runner.model.head.classifier.centroids)] == pytest.approx(0.05)


def _memory(rank, world_size, folder):
    runner = double(folder, world_size)
    if rank:  # what the first process has is what counts
        with torch.no_grad():
            runner.model.module.backbone.layer.weight.mul_(3)
    runner.train_loop.dataloader  # noqa: B018
    next(hook for hook in runner.hooks if isinstance(hook, FitHook)).before_train(runner)
    return getattr(runner.model, 'module', runner.model).head.classifier.centroids.detach().numpy()


def test_two_processes_fit_what_one_does(tmp_path):
    """276 images, of which each process has its half."""
    one = _memory(0, 1, tmp_path)
    for found in run_distributed(_memory, 2, tmp_path):
        assert abs(found - one).max() <= 1e-12


def test_nothing_happens_without_such_a_classifier(make, log):
    text = "model = dict(head=dict(classifier=dict(_delete_=True, type='LinearClassifier'), regularizers=[]))\n"
    make(text + 'custom_hooks = []', train_cfg__max_epochs=1).train()
    assert not any('fitted' in line for line in log)


def test_a_signal_ends_it(make, small_run, monkeypatch):
    runner = make('val_dataloader = dict(batch_size=100)')
    monkeypatch.setattr(type(runner.model.head.classifier), 'fit',
                        lambda self, *batch: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted, match='a signal stopped the fit; nothing of it is saved'):
        runner.train()
    assert not list((small_run.folder / 'run').glob('*.pth'))


def test_without_a_validation_set_it_needs_a_loader(make):
    with pytest.raises(ConfigError, match=r'FitHook makes its data loader of train_dataloader and val_dataloader, .*'
                                          r'give it dataloader=dict\(\.\.\.\)'):
        make('val_dataloader = None\nval_cfg = None\nval_evaluator = None').train()
