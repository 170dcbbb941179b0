"""Training on pairs: with any number of processes, after a stop in the middle of an epoch, and with a wrong sampler."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from ltkit.config import load_config
from ltkit.engine import Runner
from ltkit.registry import HOOKS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError

# Group normalisation: a batch is then the sum of its images.
BASE = 'ltkit::bbn/r8_digits_lt.py'
SMALL = '''
model = dict(backbone=dict(base_channels=4, norm_cfg=dict(type='GN', num_groups=2)), head=dict(in_channels=32))
train_dataloader = dict(in_memory={in_memory}, sampler=dict(num_samples=100))
train_cfg = dict(max_epochs=3, val_interval=3)
param_scheduler = None
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=3))
optim_wrapper = dict(accumulative_counts={accumulation})
custom_hooks = [{hook}]
'''


@HOOKS.register_module()
class PairCurve(Hook):
    """Keeps the loss and the weight of each micro-batch, and the samples of this process."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float, list[int]]] = []

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        model = getattr(runner.model, 'module', runner.model)
        samples = [sample.sample_idx for sample in data_batch['data_samples']]
        self.seen.append((float(outputs['loss']), float(model.head.alpha), samples))


@HOOKS.register_module()
class StopPairsAt(Hook):
    """Asks this process to stop, as a scheduler of a cluster does."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == self.iteration:
            signal.raise_signal(signal.SIGTERM)


class DoubleRunner(Runner):
    """Trains in float64."""

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        return super().wrap_model(model_wrapper_cfg, model.double())


def text(in_memory: bool = True, accumulation: int = 1, hook: str = "dict(type='PairCurve')") -> str:
    return SMALL.format(in_memory=in_memory, accumulation=accumulation, hook=hook)


def train(rank: int, world_size: int, path: str) -> tuple[list, dict[str, np.ndarray]]:
    cfg = load_config(path)
    cfg.work_dir = f'{path}_{world_size}'
    cfg.experiment_name = f'{path.replace("/", "_")}_{world_size}'
    cfg.launcher = 'pytorch' if world_size > 1 else 'none'
    runner = DoubleRunner.from_cfg(cfg)
    runner.train()
    curve = next(hook for hook in runner.hooks if isinstance(hook, PairCurve))
    model = getattr(runner.model, 'module', runner.model)
    return curve.seen, {key: value.numpy() for key, value in model.state_dict().items()}


@pytest.mark.parametrize('in_memory', [True, pytest.param(False, marks=pytest.mark.slow)])
def test_two_processes_and_two_micro_batches_follow_one(small_run, in_memory):
    paths = [str(small_run.config(text(in_memory, k), base=BASE, name=f'k{k}.py')) for k in (1, 2)]
    one, weights = train(0, 1, paths[0])
    assert len(one) == 12  # of 4 steps: 100 pairs, 32 a step
    assert [alpha for _, alpha, _ in one] == [1 - (epoch / 3)**2 for epoch in range(3) for _ in range(4)]
    assert len(one[0][2]) == 64
    two = run_distributed(train, 2, paths[0])
    others = [[own[0] for own in two], [train(0, 1, paths[1])[0][hand::2] for hand in (0, 1)]]
    for curves in others:
        for (loss, alpha, batch), *parts in zip(one, *curves):
            pairs = list(zip(batch[0::2], batch[1::2]))
            for hand, (_, own_alpha, own) in enumerate(parts):
                assert list(zip(own[0::2], own[1::2])) == pairs[hand::2] and own_alpha == alpha
            assert np.mean([part[0] for part in parts]) == pytest.approx(loss, abs=1e-9)
    for key, value in weights.items():
        assert np.allclose(value, two[0][1][key], rtol=0, atol=1e-9), key
        assert np.array_equal(two[0][1][key], two[1][1][key]), key
    assert one[-1][0] < one[0][0]


def test_stopped_and_resumed_equals_never_stopped(small_run):
    """In the middle of the second epoch, whose weight the resumed run has to know."""
    straight = small_run.config(text(), base=BASE, name='straight.py')
    stopping = small_run.config(text(hook="dict(type='StopPairsAt', iteration=6)"), base=BASE, name='stopping.py')
    assert small_run.fork(straight, 'straight') == 0
    assert small_run.fork(stopping, 'stopped') != 0
    assert not (small_run.folder / 'stopped' / 'epoch_2.pth').exists()
    assert small_run.fork(straight, 'stopped', resume=True) == 0
    a, b = (torch.load(small_run.folder / name / 'epoch_3.pth', weights_only=True) for name in ('straight', 'stopped'))
    assert a['state_dict'].keys() == b['state_dict'].keys()
    for key, value in a['state_dict'].items():
        assert torch.equal(value, b['state_dict'][key]), key
    losses = [one['message_hub']['log_scalars']['train/loss']['history_buffer'].tolist() for one in (a, b)]
    assert losses[0] == losses[1] and len(losses[0]) == 12


@pytest.mark.parametrize('sampler', ['InstanceBalancedSampler', 'ReversedSampler', 'DefaultSampler'])
def test_a_sampler_without_pairs_is_refused(small_run, sampler):
    changed = f'{text()}\ntrain_dataloader = dict(sampler=dict(_delete_=True, type={sampler!r}))'
    with pytest.raises(ConfigError, match=f'BilateralBranchRecognizer trains on groups of 2 samples, which {sampler} '
                                          r"does not draw; set train_dataloader.sampler=dict\(type='PairedSampler'\)"):
        small_run.runner(small_run.config(changed, base=BASE)).train()


def test_the_log_says_that_the_batch_is_of_pairs(small_run):
    runner = small_run.runner(small_run.config(text(), base=BASE))
    lines = []
    runner.logger.info = lines.append
    runner._per_process(runner.cfg.train_dataloader)
    assert '32 = 1 process(es) x 32 groups of 2 samples x 1 accumulated' in lines[0]
