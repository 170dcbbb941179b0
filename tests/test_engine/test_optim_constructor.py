"""Tests of which parameters an optimizer gets, and in which groups."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from ltkit.engine import optim_constructor
from ltkit.engine.optim_constructor import LTOptimWrapperConstructor
from ltkit.registry import OPTIM_WRAPPER_CONSTRUCTORS
from ltkit.utils.errors import ConfigError

OWN = dict(lr=0.5, momentum=0.0, weight_decay=0.0)


class Centred(nn.Module):
    """A linear layer and centres that step by themselves."""

    def __init__(self, options=OWN) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.norm = nn.BatchNorm1d(2)
        self.centred = nn.Module()
        self.centred.centres = nn.Parameter(torch.ones(3))
        self.centred.optimizer_options = dict(centres=options)


def _wrapper(model: nn.Module, optimizer=None, **kwargs):
    optimizer = optimizer or dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.01)
    constructor = f'ltkit.{LTOptimWrapperConstructor.__name__}'
    return build_optim_wrapper(model, dict(constructor=constructor, optimizer=optimizer, **kwargs))


def test_it_is_registered():
    assert OPTIM_WRAPPER_CONSTRUCTORS.get('LTOptimWrapperConstructor') is LTOptimWrapperConstructor


@pytest.mark.parametrize('paramwise', [None, dict(norm_decay_mult=0.0),
                                       dict(custom_keys={'linear': dict(lr_mult=0.2)})])
def test_centres_step_by_themselves_and_no_schedule_changes_it(paramwise):
    model = Centred()
    wrapper = _wrapper(model, paramwise_cfg=paramwise)
    optimizer = wrapper.optimizer
    for rate in (0.1, 0.05, 0.0):
        for group in optimizer.param_groups:
            group['lr'] = rate  # as a schedule does
        before = model.centred.centres.detach().clone()
        gradient = torch.tensor([1.0, -2.0, 0.25])
        (model.centred.centres @ gradient + 0 * model.linear.weight.sum()).backward()
        optimizer.step()
        optimizer.zero_grad()
        torch.testing.assert_close(model.centred.centres.detach(), before - 0.5 * gradient)
    assert sum(len(group['params']) for group in optimizer.param_groups) == len(list(model.parameters()))


def test_a_rate_of_its_own_on_the_schedule_of_the_config():
    model = Centred(dict(lr=0.5, scheduled=True))
    optimizer = _wrapper(model).optimizer
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1], 0.1)
    rates = []
    for _ in range(2):
        model.centred.centres.sum().backward()
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[-1]['lr'])
    assert rates == [pytest.approx(0.05)] * 2 and 'scheduled' not in optimizer.param_groups[-1]
    assert optimizer.param_groups[-1]['weight_decay'] == 0.01


def test_settings_of_the_config_hold_for_the_rest():
    model = Centred()
    groups = _wrapper(model, paramwise_cfg=dict(custom_keys={'linear': dict(lr_mult=0.2)})).optimizer.param_groups
    rates = {id(group['params'][0]): group['lr'] for group in groups}
    assert rates[id(model.linear.weight)] == pytest.approx(0.02) and rates[id(model.norm.weight)] == 0.1
    assert groups[-1]['params'] == [model.centred.centres] and groups[-1]['weight_decay'] == 0


@pytest.mark.parametrize('paramwise', [None, dict(norm_decay_mult=0.0)])
def test_what_is_frozen_is_left_out(paramwise, capsys):
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    held = [parameter for group in _wrapper(model, paramwise_cfg=paramwise).optimizer.param_groups
            for parameter in group['params']]
    assert [id(parameter) for parameter in held] == [id(parameter) for parameter in model[1].parameters()]
    assert 'is skipped' not in ''.join(capsys.readouterr())


def test_a_model_without_either_is_built_as_ever():
    model = nn.Linear(2, 2)
    groups = _wrapper(model).optimizer.param_groups
    assert len(groups) == 1 and len(groups[0]['params']) == 2


@pytest.mark.parametrize('kind', ['AdamW', 'RMSprop'])
@pytest.mark.parametrize('decay', [0.0, 0.1])
def test_steps_of_plain_sgd_beside_another_optimizer(decay, kind):
    """What AdamW would make of centres with a rate for SGD is no step of theirs; the rest has AdamW's."""
    model, rest = Centred(dict(lr=0.5, momentum=0.0, weight_decay=decay)), Centred()
    rest.load_state_dict(model.state_dict())
    optimizer = _wrapper(model, dict(type=kind, lr=0.001)).optimizer
    alone = getattr(torch.optim, kind)([*rest.linear.parameters(), *rest.norm.parameters()], lr=0.001)
    gradient = torch.tensor([1.0, -2.0, 0.25])
    for _ in range(3):
        before = model.centred.centres.detach().clone()
        (model.centred.centres @ gradient + model.linear.weight.square().sum()).backward()
        rest.linear.weight.square().sum().backward()
        for each in (optimizer, alone):
            each.step()
            each.zero_grad()
        torch.testing.assert_close(model.centred.centres.detach(), before - 0.5 * (gradient + decay * before))
        assert torch.equal(model.linear.weight, rest.linear.weight)
    assert model.centred.centres not in optimizer.state


def test_another_optimizer_takes_what_it_knows(monkeypatch):
    told = []
    monkeypatch.setattr(optim_constructor, 'print_log', lambda text, *args: told.append(text))
    groups = _wrapper(Centred(dict(lr=0.5, momentum=0.9, weight_decay=0.0)), dict(type='AdamW', lr=0.001))
    group = groups.optimizer.param_groups[-1]
    assert group['lr'] == 0.5 and group['weight_decay'] == 0 and not {'momentum', 'plain_sgd'} & set(group)
    assert len(told) == 1 and 'stepped by AdamW, which has no momentum: its step is not the one' in told[0]


def test_a_resumed_optimizer_keeps_the_constant_rate():
    first, second = _wrapper(Centred()).optimizer, _wrapper(Centred()).optimizer
    for group in first.param_groups:
        group['lr'] = 0.0
    second.load_state_dict(first.state_dict())
    assert second.param_groups[-1]['constant_lr'] == 0.5


def test_nothing_to_train_is_an_error():
    with pytest.raises(ConfigError, match='nothing to train'):
        _wrapper(nn.Linear(2, 2).requires_grad_(False))


def test_options_of_another_parameter_are_an_error():
    model = Centred()
    model.centred.optimizer_options = dict(centers=OWN)
    with pytest.raises(ConfigError, match=r"optimizer_options names 'centers', which is none of its own"):
        _wrapper(model)
