"""Tests of mixed precision on the CPU, and of clipping."""

from __future__ import annotations

import pytest
import torch
from mmengine.logging import MessageHub
from torch import nn

from ltkit.engine import CPUAmpOptimWrapper
from ltkit.engine.message_hub import make_lazy
from ltkit.engine.optim_wrapper import log_norm_later
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


@pytest.mark.parametrize('kind', ['OptimWrapper', 'CPUAmpOptimWrapper'])
@pytest.mark.parametrize('clip', [dict(max_norm=0.5), dict(type='value', clip_value=0.1)])
def test_the_norm_of_clipped_gradients_is_logged_without_reading_it(monkeypatch, kind, clip):
    hub = make_lazy(MessageHub.get_instance(f'{kind}_{len(clip)}_{id(clip)}'))
    results = []
    for lazy in (False, True):
        torch.manual_seed(0)
        model = nn.Linear(4, 3)
        wrapper = OPTIM_WRAPPERS.build(dict(type=kind, optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
                                            clip_grad=dict(clip)))
        wrapper.message_hub = hub
        if lazy:
            assert log_norm_later(wrapper) is wrapper
            monkeypatch.setattr(torch.Tensor, '__float__', None)  # what waits for the device
        for _ in range(2):
            wrapper.update_params(model(torch.ones(2, 4)).sum())
        monkeypatch.undo()
        results.append(model.weight.detach().clone())
    assert torch.equal(*results)
    if 'max_norm' in clip:
        norms = hub.get_scalar('train/grad_norm').data[0].tolist()
        assert len(norms) == 4 and norms[:2] == norms[2:] and norms[0] > 1
    else:
        assert 'train/grad_norm' not in hub.log_scalars


def test_a_run_with_clipped_gradients_logs_their_norm(small_run):
    runner = small_run.runner('train_cfg = dict(max_epochs=1)', optim_wrapper__clip_grad=dict(max_norm=1.0))
    runner.train()
    assert len(runner.message_hub.get_scalar('train/grad_norm').data[0]) == runner.iter
    assert runner.optim_wrapper.clip_func(runner.model.parameters(), max_norm=1.0) is None  # mmengine reads what is not
