"""Tests of mixed precision on the CPU."""

from __future__ import annotations

import torch
from torch import nn

from ltkit.engine import CPUAmpOptimWrapper
from ltkit.registry import OPTIM_WRAPPERS


def _wrapper(model: nn.Module, **kwargs) -> CPUAmpOptimWrapper:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return OPTIM_WRAPPERS.build(dict(type='CPUAmpOptimWrapper', optimizer=optimizer, **kwargs))


def test_forward_runs_in_bfloat16_and_the_weights_stay_float32():
    model = nn.Linear(4, 3)
    wrapper, before = _wrapper(model), model.weight.detach().clone()
    with wrapper.optim_context(model):
        output = model(torch.ones(2, 4))
    assert output.dtype == torch.bfloat16
    wrapper.update_params(output.float().sum())
    assert model.weight.dtype == torch.float32 and not torch.equal(model.weight, before)
    assert model(torch.ones(2, 4)).dtype == torch.float32  # only within the context


def test_gradients_are_accumulated():
    model = nn.Linear(4, 3)
    wrapper, before = _wrapper(model, accumulative_counts=2), model.weight.detach().clone()
    for _ in range(2):
        assert torch.equal(model.weight, before)
        with wrapper.optim_context(model):
            loss = model(torch.ones(2, 4)).float().sum()
        wrapper.update_params(loss)
    assert not torch.equal(model.weight, before)


def test_a_run_with_amp(small_run):
    from ltkit.apis import train, use_amp
    cfg = small_run.load('train_cfg = dict(max_epochs=1, val_interval=1)')
    use_amp(cfg)
    expected = 'AmpOptimWrapper' if torch.cuda.is_available() else 'CPUAmpOptimWrapper'
    assert cfg.optim_wrapper.type == expected
    assert train(cfg)['metrics']['accuracy/top1'] > 0
