"""One process and two see the same samples and follow the same loss curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from ltkit.config import load_config
from ltkit.engine import Runner
from ltkit.registry import HOOKS, MODELS
from ltkit.testing.distributed import run_distributed

DRW = 'drw=dict(begin=1, beta=0.999)'


@MODELS.register_module()
class FlatExperts(nn.Module):
    """The pixels, scaled differently for each expert; no batch normalisation."""

    def __init__(self, num_experts: int = 1) -> None:
        super().__init__()
        if num_experts > 1:
            self.num_experts = num_experts
        self.scales = nn.Parameter(torch.ones(num_experts, 64, 1, 1))

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        flat = inputs.to(self.scales.dtype).flatten(1)[:, :, None, None]
        return tuple(flat * scale for scale in self.scales)


@HOOKS.register_module()
class Curve(Hook):
    """Keeps the loss of each step and the samples of this process."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.samples: list[list[int]] = []

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        self.samples.append([sample.sample_idx for sample in data_batch['data_samples']])

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None,
                         outputs: Any = None) -> None:
        self.losses.append(float(outputs['loss']))


class DoubleRunner(Runner):
    """Trains in float64."""

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        return super().wrap_model(model_wrapper_cfg, model.double())


def _train(rank: int, world_size: int, path: str, sampler: str) -> dict[str, Any]:
    cfg = load_config(path)
    cfg.work_dir = f'{path}_{world_size}'
    cfg.experiment_name = f'{Path(path).stem}_{world_size}'
    cfg.launcher = 'pytorch' if world_size > 1 else 'none'
    cfg.train_dataloader.sampler = dict(type=sampler)
    runner = DoubleRunner.from_cfg(cfg)
    runner.train()
    curve = next(hook for hook in runner.hooks if isinstance(hook, Curve))
    model = getattr(runner.model, 'module', runner.model)
    results = next(hook for hook in runner.hooks if hasattr(hook, 'results')).results
    return dict(losses=curve.losses, samples=curve.samples, metrics=results['metrics'],
                weights={key: value.numpy() for key, value in model.state_dict().items()})


def _config(folder: Path, loss: str) -> str:
    ride = 'RIDE' in loss
    model = 'MultiExpertRecognizer' if ride else 'ImageRecognizer'
    head = "type='MultiExpertHead', num_experts=3" if ride else "type='LongTailClsHead'"
    classifier = "type='CosineClassifier', scale=8" if ride or 'LDAM' in loss else "type='LinearClassifier'"
    path = folder / 'small.py'
    path.write_text(f'''_base_ = 'ltkit::erm/r8_digits_lt.py'
model = dict(_delete_=True, type='{model}',
    backbone=dict(type='FlatExperts', num_experts={3 if ride else 1}), neck=dict(type='GlobalAveragePooling'),
    head=dict({head}, num_classes=10, in_channels=64, classifier=dict({classifier}), loss=dict({loss})))
train_cfg = dict(max_epochs=2, val_interval=2)
custom_hooks = [dict(type='Curve')]
''')
    return str(path)


@pytest.mark.parametrize('loss, sampler', [
    ("type='SoftmaxLoss'", 'InstanceBalancedSampler'),
    (f"type='LDAMLoss', {DRW}", 'InstanceBalancedSampler'),
    ("type='WeightedSoftmaxLoss'", 'ClassBalancedSampler'),
    (f"type='RIDELoss', {DRW}", 'ClassAwareSampler'),
], ids=['softmax', 'ldam_drw', 'weighted_softmax', 'ride'])
def test_two_processes_follow_one(tmp_path, loss, sampler):
    path = _config(tmp_path, loss)
    one = _train(0, 1, path, sampler)
    two = run_distributed(_train, 2, path, sampler)
    # The same stream of samples: in each step the processes share one global batch.
    assert len(one['samples']) == 18
    for batch, first, second in zip(one['samples'], two[0]['samples'], two[1]['samples']):
        assert batch[::2] == first and batch[1::2] == second
    assert np.allclose(one['losses'], two[0]['losses'], rtol=0, atol=1e-9)
    assert two[0]['losses'] == two[1]['losses']
    for key, value in one['weights'].items():
        assert np.allclose(value, two[0]['weights'][key], rtol=0, atol=1e-9), key
        assert np.array_equal(two[0]['weights'][key], two[1]['weights'][key]), key
    # The metrics are those of the whole test set, each sample once.
    assert one['metrics'] == two[0]['metrics'] == two[1]['metrics']
    assert one['losses'][-1] < one['losses'][0]
