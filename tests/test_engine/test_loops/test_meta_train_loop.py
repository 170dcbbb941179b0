"""Tests of ltkit.engine.loops.meta_train_loop."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from torch import nn

from ltkit.config import load_config
from ltkit.engine import Runner
from ltkit.models.losses import MetaWeightNetLoss
from ltkit.models.meta_learned import meta_learned
from ltkit.registry import HOOKS, MODELS
from ltkit.structures import BatchedSamples
from ltkit.testing.distributed import run_distributed
from ltkit.utils.checkpoint import read_checkpoint
from ltkit.utils.errors import CheckpointError, ConfigError

WEIGHT_NET = "loss=dict(type='MetaWeightNetLoss', hidden_channels=4)"
NUMBERS = itertools.count()
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]

# A linear model (with its features scaled, so that there is a backbone to train) and a meta step.
CONFIG = '''_base_ = 'ltkit::erm/r8_digits_lt.py'
model = dict(_delete_=True, type='ImageRecognizer', backbone=dict(type='ScaledPixels', norm={norm}),
    neck=dict(type='GlobalAveragePooling'), data_preprocessor=dict(type='ImageDataPreprocessor', mean=[78], std=[96]),
    head=dict(type='LongTailClsHead', num_classes=10, in_channels=64, {loss}))
train_dataloader = dict(in_memory=True, sampler=dict(type='{sampler}'))
train_cfg = dict(type='MetaTrainLoop', max_epochs=1, val_interval=1,
    meta_dataloader=dict(batch_size=40, sampler=dict(type='ClassBalancedSampler')),
    meta_optimizer={optimizer}, inner_parameters='{inner}')
{more}
'''
MIXUP = dict(augments=[dict(type='Mixup', alpha=1.0)])
GRADIENT_DESCENT = "dict(type='SGD', lr=1.0)"


@MODELS.register_module()
class ScaledPixels(nn.Module):
    """The pixels, each scaled; with batch normalisation and dropout, if wanted."""

    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(64, 1, 1))
        self.norm = nn.Sequential(nn.BatchNorm2d(64), nn.Dropout(0.2)) if norm else nn.Identity()

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        flat = inputs.flatten(1)[:, :, None, None].to(self.scale)
        return (self.norm(flat * self.scale), )


@HOOKS.register_module()
class MetaCurve(Hook):
    """Keeps both losses of each step."""

    def __init__(self) -> None:
        self.losses: list[tuple[float, float]] = []

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.losses.append((float(outputs['loss']), float(outputs['meta_loss'])))


class DoubleRunner(Runner):
    """Trains in float64."""

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        return super().wrap_model(model_wrapper_cfg, model.double())


def config(folder: Path, loss: str = WEIGHT_NET, sampler: str = 'InstanceBalancedSampler', norm: bool = False,
           optimizer: str = GRADIENT_DESCENT, inner: str = 'all', more: str = '') -> str:
    path = folder / f'config_{next(NUMBERS)}.py'
    path.write_text(CONFIG.format(loss=loss, sampler=sampler, norm=norm, optimizer=optimizer, inner=inner, more=more))
    return str(path)


def build(path: str, options: dict | None = None, runner: type = DoubleRunner, work_dir: str = '',
          launcher: str = 'none') -> Runner:
    cfg = load_config(path, options)
    cfg.work_dir = work_dir or f'{path}_run'
    cfg.experiment_name = f'{Path(path).stem}_{next(NUMBERS)}'
    cfg.launcher = launcher
    return runner.from_cfg(cfg)


def plain_loop() -> dict:
    """The option that takes the loop away; mmengine empties the dict."""
    return {'train_cfg': dict(_delete_=True, by_epoch=True, max_epochs=1, val_interval=1)}


def loop_of(runner: Runner) -> Any:
    """The loop of a run that is about to begin."""
    loop = runner.train_loop
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.model.train()
    return loop


def digits(loop: Any, loader: Any) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """A batch, and its images and labels as the model gets them."""
    batch = next(iter(loader))
    data = loop.model.data_preprocessor(batch, False)
    return batch, data['inputs'].flatten(1), data['data_samples'].gt_label


# ------------------------------------------------------------------ the equation
def learned_gradient(loop: Any, objective: Any, parameters: list[torch.Tensor], batch: Any, meta: Any) -> None:
    """One step of the learner by gradient descent at rate 1 is minus the gradient of the whole objective."""
    leaves = [parameter.detach().clone().requires_grad_() for parameter in parameters]
    expected_loss = objective(*leaves)
    expected = torch.autograd.grad(expected_loss, leaves)
    # the reference is the derivative of its values
    for k, leaf in enumerate(leaves):
        direction = torch.randn_like(leaf)
        ends = [objective(*leaves[:k], leaf.detach() + step * direction, *leaves[k + 1:]) for step in (1e-6, -1e-6)]
        assert abs((ends[0] - ends[1]) / 2e-6 - (expected[k] * direction).sum()) < 1e-7
    before = {name: value.clone() for name, value in loop.model.state_dict().items()}
    meta_loss = loop.meta_step(batch, meta)
    assert abs(meta_loss - expected_loss) < 1e-12
    for parameter, leaf, gradient in zip(parameters, leaves, expected):
        assert torch.allclose(leaf.detach() - parameter.detach(), gradient, rtol=1e-9, atol=1e-12)
        assert gradient.abs().max() > 1e-7 and parameter.grad is None
    for name, value in loop.model.state_dict().items():
        assert '.net.' in name or torch.equal(value, before[name]), f'{name} is not the same after a meta step'


@pytest.mark.parametrize('inner, normalise', [('all', True), ('all', False), ('classifier', True)])
def test_gradient_of_the_weight_net(tmp_path, inner, normalise):
    """Against the bilevel objective written out for the linear model, in float64."""
    torch.manual_seed(0)
    loss = f"loss=dict(type='MetaWeightNetLoss', hidden_channels=4, normalise={normalise})"
    loop = loop_of(build(config(tmp_path, loss, inner=inner)))
    (batch, x, y), (meta, meta_x, meta_y) = (digits(loop, each) for each in (loop.dataloader, loop.meta_dataloader))
    scale, net = loop.model.backbone.scale.detach().flatten(), loop.model.head.loss_module.net
    weight, bias = (p.detach() for p in loop.model.head.classifier.parameters())
    alpha = loop.runner.optim_wrapper.optimizer.param_groups[0]['lr']

    def objective(w1, b1, w2, b2):
        logits = x * scale @ weight.T + bias
        losses = -logits.log_softmax(1)[torch.arange(len(y)), y]
        v = torch.sigmoid(torch.relu(losses[:, None] @ w1.T + b1) @ w2.T + b2)[:, 0]
        v = v / (v.sum() if normalise else len(v))
        slope = v[:, None] * (logits.softmax(1) - F.one_hot(y, 10))  # of the logits, by hand
        new_weight, new_bias = weight - alpha * slope.T @ (x * scale), bias - alpha * slope.sum(0)
        new_scale = scale - alpha * (slope @ weight * x).sum(0) if inner == 'all' else scale
        return F.cross_entropy(meta_x * new_scale @ new_weight.T + new_bias, meta_y)
    learned_gradient(loop, objective, list(net.parameters()), batch, meta)


@pytest.mark.parametrize('loss, power', [('', 0), ("loss=dict(type='BalancedSoftmaxLoss')", 0.3)])
def test_gradient_of_the_sampler(tmp_path, loss, power):
    """Against the bilevel objective with the literal Gumbel softmax over all samples, in float64."""
    torch.manual_seed(0)
    runner = build(config(tmp_path, loss or "loss=dict(type='SoftmaxLoss')", 'MetaSampler'),
                   {'train_dataloader.sampler.init_pow': power})
    loop = loop_of(runner)
    runner.call_hook('before_train')
    (batch, x, y), (meta, meta_x, meta_y) = (digits(loop, each) for each in (loop.dataloader, loop.meta_dataloader))
    scale = loop.model.backbone.scale.detach().flatten()
    weight, bias = (p.detach() for p in loop.model.head.classifier.parameters())
    alpha = runner.optim_wrapper.optimizer.param_groups[0]['lr']
    counts = torch.tensor(loop.sampler.class_counts, dtype=torch.float64)
    prior = counts.log() if loss else torch.zeros(10)
    each = torch.arange(10).repeat_interleave(counts.long())
    times, _ = loop.sampler._noise(*loop.sampler._batch)
    noise = []
    for position, place, time in zip(*loop.sampler._batch, times):
        rng = loop.sampler.generator(2, int(position))
        rng.standard_exponential()
        left = rng.standard_exponential(len(each))
        left[place] = 0
        noise.append(-np.log(loop.sampler.rates[each] * time + left))
    noise = torch.from_numpy(np.stack(noise))
    drawn = torch.from_numpy(loop.sampler._batch[1])

    def objective(psi):
        soft = (psi.sigmoid().log()[each] + noise).softmax(1)  # (samples of the batch, of the training set)
        v = soft[torch.arange(len(y)), drawn]
        v = (1 + v - fixed) / len(v)
        logits = x * scale @ weight.T + bias + prior
        slope = v[:, None] * (logits.softmax(1) - F.one_hot(y, 10))
        new_weight, new_bias = weight - alpha * slope.T @ (x * scale), bias - alpha * slope.sum(0)
        new_scale = scale - alpha * (slope @ weight * x).sum(0)
        return F.cross_entropy(meta_x * new_scale @ new_weight.T + new_bias, meta_y)
    psi = loop.sampler.learner.psi
    fixed = (psi.detach().sigmoid().log()[each] + noise).softmax(1)[torch.arange(len(y)), drawn]
    assert torch.equal(each[drawn], y)
    learned_gradient(loop, objective, [psi], batch, meta)


# ---------------------------------------------------------------- what is learned
def toy_run(tmp_path: Path, seed: int, flipped: float, rare: float, apart: float) -> tuple[float, float]:
    """Weights of a small and a large loss, learned on two classes, normal in 64 pixels."""
    path = config(tmp_path, "loss=dict(type='MetaWeightNetLoss', hidden_channels=20)",
                  optimizer="dict(type='Adam', lr=0.01)")
    runner = build(path, {'optim_wrapper.optimizer.lr': 0.1, 'randomness.seed': seed}, Runner)
    loop = loop_of(runner)

    def batch(samples, flip, second):
        labels = (torch.rand(samples) < second).long()
        images = torch.randn(samples, 1, 8, 8) + apart * (2 * labels - 1)[:, None, None, None]
        labels = torch.where(torch.rand(samples) < flip, 1 - labels, labels)
        return dict(inputs=96 * images + 78, data_samples=BatchedSamples(labels))
    for step in range(120):
        data = batch(64, flipped, rare)
        if step >= 50:  # what a loss tells is known by then
            loop.meta_step(data, batch(64, 0, 0.5))
        runner.model.train_step(data, runner.optim_wrapper)
    small, large = loop.model.head.loss_module.net(torch.tensor([0.1, 2.5]))
    return small.item(), large.item()


@pytest.mark.parametrize('seed', SEEDS)
def test_the_weight_of_a_large_loss(tmp_path, seed):
    """Where labels are flipped it falls below that of a small one; where a class is rare it rises above."""
    small, large = toy_run(tmp_path, seed, flipped=0.4, rare=0.5, apart=0.2)
    assert large < 0.3 * small
    small, large = toy_run(tmp_path, seed, flipped=0, rare=0.1, apart=0.1)
    assert large > 3 * small


@pytest.mark.parametrize('seed', SEEDS)
def test_the_rates_of_rare_classes_rise(tmp_path, seed):
    path = config(tmp_path, "loss=dict(type='SoftmaxLoss')", 'MetaSampler', optimizer="dict(type='Adam', lr=0.05)")
    runner = build(path, {'randomness.seed': seed, 'train_cfg.max_epochs': 6, 'train_cfg.val_interval': 6}, Runner)
    runner.train()
    rates = runner.train_loop.sampler.rates
    assert rates[6:].mean() > 1.2 * rates[:3].mean()


# ------------------------------------------------------------------ of all runs
def _trained(rank: int, world_size: int, path: str) -> dict[str, Any]:
    runner = build(path, work_dir=f'{path}_{world_size}', launcher='pytorch' if world_size > 1 else 'none')
    runner.train()
    loop = runner.train_loop
    curve = next(hook for hook in runner.hooks if isinstance(hook, MetaCurve)).losses
    state = {**loop.model.state_dict(), **(loop.sampler.learner.state_dict() if loop.sampler else {})}
    return dict(losses=curve, weights={key: value.numpy() for key, value in state.items()})


@pytest.mark.parametrize('loss, sampler', [
    (WEIGHT_NET, 'InstanceBalancedSampler'),
    ("loss=dict(type='BalancedSoftmaxLoss')", 'MetaSampler')], ids=['weight_net', 'sampler'])
def test_two_processes_follow_one(tmp_path, loss, sampler):
    path = config(tmp_path, loss, sampler, optimizer="dict(type='Adam', lr=0.01)",
                  more="custom_hooks = [dict(type='MetaCurve')]")
    one = _trained(0, 1, path)
    two = run_distributed(_trained, 2, path)
    assert len(one['losses']) == 9
    assert np.allclose(one['losses'], two[0]['losses'], rtol=0, atol=1e-9)
    assert two[0]['losses'] == two[1]['losses']
    learned = [key for key in one['weights'] if key == 'psi' or '.net.' in key]
    assert learned
    for key, value in one['weights'].items():
        assert np.allclose(value, two[0]['weights'][key], rtol=0, atol=1e-9), key
        assert np.array_equal(two[0]['weights'][key], two[1]['weights'][key]), key


@pytest.mark.parametrize('loss, sampler', [
    (WEIGHT_NET, 'InstanceBalancedSampler'),
    ("loss=dict(type='BalancedSoftmaxLoss')", 'MetaSampler')], ids=['weight_net', 'sampler'])
def test_resumed_run_ends_as_one_that_never_stopped(tmp_path, loss, sampler):
    """In the middle of an epoch, with mixup, dropout and batch normalisation, to the bit."""
    path = config(tmp_path, loss, sampler, True, "dict(type='SGD', lr=0.5, momentum=0.9, weight_decay=5e-4)",
                  more='default_hooks = dict(checkpoint=dict(by_epoch=False, interval=7, max_keep_ckpts=-1))')
    options = {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2, 'model.train_cfg': MIXUP}
    straight = build(path, options, Runner, f'{tmp_path}/straight')
    straight.train()
    stopped = read_checkpoint(tmp_path / 'straight' / 'iter_7.pth')
    options = {**options, 'load_from': f'{tmp_path}/straight/iter_7.pth', 'resume': True}
    resumed = build(path, options, Runner, f'{tmp_path}/resumed')
    resumed.train()
    first, second = (read_checkpoint(tmp_path / name / 'iter_14.pth') for name in ('straight', 'resumed'))
    for key in ('state_dict', 'optimizer', 'train_loop'):
        assert_same(first[key], second[key], key)
    assert first['train_loop']['meta_optimizer']['state'][0]['momentum_buffer'].abs().sum() > 0
    learned = [key for key in first['state_dict'] if '.net.' in key]
    assert all(not torch.equal(first['state_dict'][key], stopped['state_dict'][key]) for key in learned)
    if not learned:
        assert not torch.equal(first['train_loop']['sampler']['psi'], stopped['train_loop']['sampler']['psi'])


def assert_same(a: Any, b: Any, where: str) -> None:
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
    if isinstance(a, (dict, list, tuple)):
        for key in a if isinstance(a, dict) else range(len(a)):
            assert_same(a[key], b[key], f'{where}.{key}')
    else:
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b, where


def test_the_model_is_as_without_a_meta_step(tmp_path):
    """Equal weights: with batch normalisation, dropout and mixup each step is that of the plain loop."""
    path = config(tmp_path, WEIGHT_NET, norm=True, optimizer="dict(type='SGD', lr=0.0)")
    runner = build(path, {'model.train_cfg': MIXUP}, Runner)
    nn.init.zeros_(runner.model.head.loss_module.net.output.weight)
    options = {'model.train_cfg': MIXUP, 'model.head.loss': dict(_delete_=True, type='SoftmaxLoss'), **plain_loop()}
    plain = build(path, options, Runner)
    plain.model.load_state_dict(runner.model.state_dict(), strict=False)
    runner.train()
    plain.train()
    state = runner.model.state_dict()
    for name, value in plain.model.state_dict().items():
        assert torch.allclose(value, state[name], rtol=0, atol=1e-5), name
    assert state['backbone.norm.0.num_batches_tracked'] == 9


@pytest.mark.parametrize('in_memory', [True, False])
def test_the_batch_is_left_as_it_is(tmp_path, in_memory):
    """The data preprocessor mixes labels in place; the virtual pass gives it a copy."""
    options = {'model.train_cfg': MIXUP, 'train_dataloader.in_memory': in_memory}
    loop = loop_of(build(config(tmp_path), options, Runner))
    batch = next(iter(loop.dataloader))
    loop.meta_step(batch, next(iter(loop.meta_dataloader)))
    samples = batch['data_samples']
    assert all('gt_score' not in sample for sample in samples) and len(samples) == 32
    loop.model.data_preprocessor(batch, True)
    assert all(sample.gt_score.shape == (10, ) for sample in batch['data_samples'])


def test_several_experts_and_groups_of_rates(tmp_path):
    """A model of two experts, two learning rates, one frozen part."""
    path = config(tmp_path, more='''
model = dict(_delete_=True, type='MultiExpertRecognizer', backbone=dict(type='RIDEResNet8', in_channels=1),
    neck=dict(type='GlobalAveragePooling'), head=dict(type='MultiExpertHead', num_experts=3, num_classes=10,
    in_channels=64, loss=dict(type='MetaWeightNetLoss', loss=dict(type='RIDELoss'))))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=0.5)}))''')
    cfg = load_config(path)
    cfg.model.backbone = load_config('configs/ride/r8_digits_lt.py').model.backbone
    cfg.model.head.in_channels = load_config('configs/ride/r8_digits_lt.py').model.head.in_channels
    cfg.work_dir, cfg.experiment_name = str(tmp_path), f'experts_{next(NUMBERS)}'
    cfg.train_dataloader.sampler.num_samples = 32
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = 1
    runner = Runner.from_cfg(cfg)
    before = [parameter.clone() for parameter in runner.model.head.loss_module.net.parameters()]
    loop = loop_of(runner)
    next(runner.model.backbone.parameters()).requires_grad_(False)
    rates = loop._inner_rates()
    assert {name.split('.')[0]: round(rate, 9) for name, rate in rates.items()} == dict(backbone=0.1, head=0.05)
    assert len(rates) == sum(p.requires_grad for p in runner.model.parameters())
    loop.inner_parameters = 'classifier'
    assert {name.split('.')[1] for name in loop._inner_rates()} == {'classifiers'}
    loop.inner_parameters = 'all'
    runner.train()
    assert all(not torch.equal(a, b) for a, b in zip(before, runner.model.head.loss_module.net.parameters()))


# ------------------------------------------------------------------- refusals
@pytest.mark.parametrize('options, words', [
    ({'optim_wrapper.accumulative_counts': 2}, 'accumulative_counts=2; set it to 1'),
    ({'compile': True}, 'leave out compile'),
    ({'train_cfg.inner_parameters': 'head'}, "must be 'all' or 'classifier', but is 'head'"),
    ({'model.head.loss': dict(_delete_=True, type='SoftmaxLoss')}, 'has nothing to learn'),
    ({'train_cfg.meta_dataloader.sampler': dict(_delete_=True, type='DefaultSampler', shuffle=True)},
     'needs a sampler of ltkit'),
    ({'train_cfg.meta_dataloader.batch_size': 0}, 'meta_dataloader.batch_size must be a positive number'),
])
def test_what_cannot_be_combined(tmp_path, options, words):
    runner = build(config(tmp_path), options, Runner)
    with pytest.raises(ConfigError, match=words):
        runner.train()


@pytest.mark.parametrize('key, value, words', [
    ('meta_dataloader.bacth_size', 3, "meta_dataloader has no argument 'bacth_size'; did you mean 'batch_size'"),
    ('meta_dataloader.dataset.splt', 'held_out', "has no argument 'splt'; did you mean 'split'"),
    ('meta_dataloader.sampler.type', 'ClasBalancedSampler', "did you mean 'ClassBalancedSampler'"),
    ('meta_optimizer.lrr', 1, "SGD has no argument 'lrr'"),
    ('meta_loss', dict(type='SoftMaxLoss'), "did you mean 'SoftmaxLoss'"),
])
def test_a_slip_of_the_pen_in_the_config(tmp_path, key, value, words):
    with pytest.raises(ConfigError, match=words):
        load_config(config(tmp_path), {f'train_cfg.{key}': value})


def test_the_meta_set_takes_over_what_is_not_stated(tmp_path):
    path = config(tmp_path)
    options = {'train_dataloader.dataset.held_out': 10, 'train_dataloader.dataset.imbalance_factor': 20,
               'train_cfg.meta_dataloader': dict(_delete_=True, dataset=dict(split='held_out'))}
    loop = loop_of(build(path, options, Runner))
    assert np.bincount(loop.meta_dataloader.dataset.get_gt_labels()).tolist() == [10] * 10
    assert loop.dataloader.dataset.class_distribution.imbalance_factor > 15
    for loader in (loop.dataloader, loop.meta_dataloader):
        assert loader.batch_sampler.batch_size == 32 and type(loader).__name__ == 'InMemoryDataLoader'
        assert type(loader.batch_sampler.sampler).__name__ == 'InstanceBalancedSampler'
    assert loop.dataloader.batch_sampler.sampler.seed != loop.meta_dataloader.batch_sampler.sampler.seed


def test_what_is_learned_must_act_on_the_loss(tmp_path):
    runner = build(config(tmp_path, "loss=dict(type='SoftmaxLoss')"), runner=Runner)
    runner.model.head.idle = meta_learned(nn.Linear(1, 1))
    with pytest.raises(ConfigError, match=r'does not act on the loss .*: head.idle.weight, head.idle.bias'):
        runner.train()


def test_workers_would_draw_ahead(tmp_path):
    runner = build(config(tmp_path, "loss=dict(type='SoftmaxLoss')", 'MetaSampler'),
                   {'train_dataloader.in_memory': False, 'train_dataloader.num_workers': 2}, Runner)
    with pytest.raises(ConfigError, match=r'train_dataloader.num_workers=2 prefetches; set it to 0'):
        runner.train()


def test_synchronised_batch_normalisation(tmp_path):
    runner = build(config(tmp_path, norm=True), runner=Runner)
    runner.model = nn.SyncBatchNorm.convert_sync_batchnorm(runner.model)
    with pytest.raises(ConfigError, match="leave out sync_bn, or set inner_parameters='classifier'"):
        runner.train()


def test_another_loop_is_refused(tmp_path):
    runner = build(config(tmp_path), {**plain_loop()}, Runner)
    words = r"model\.head\.loss_module\.net\.hidden is trained by a meta step; set train_cfg=dict\(type='MetaTrainLoop'"
    with pytest.raises(ConfigError, match=words):
        runner.train()


def test_checkpoint_of_another_loop(tmp_path):
    path = config(tmp_path, "loss=dict(type='SoftmaxLoss')", 'MetaSampler')
    plain = build(path, {**plain_loop(), 'default_hooks.checkpoint.interval': 1,
                         'train_dataloader.sampler.num_samples': 32}, Runner)
    plain.train()
    options = {'load_from': str(next(Path(plain.work_dir).glob('epoch_1.pth'))), 'resume': True}
    with pytest.raises(CheckpointError, match='has no state of MetaTrainLoop and cannot be resumed'):
        build(path, options, Runner).train()


def test_marked_net_is_the_only_exception(tmp_path):
    """The optimizer of the model leaves the net alone, weight decay included."""
    runner = build(config(tmp_path, optimizer="dict(type='SGD', lr=0.0)"), runner=Runner)
    before = [parameter.clone() for parameter in runner.model.head.loss_module.net.parameters()]
    runner.train()
    assert isinstance(runner.model.head.loss_module, MetaWeightNetLoss)
    assert all(torch.equal(a, b) for a, b in zip(before, runner.model.head.loss_module.net.parameters()))
