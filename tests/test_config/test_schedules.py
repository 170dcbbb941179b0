"""Warm-ups that never end."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import LinearLR

from ltkit.config import check_config, load_config
from ltkit.utils import ConfigError

WARM_UP = dict(type='LinearLR', start_factor=0.2, by_epoch=True, end=1)


def test_what_mmengine_does_with_one_step():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = LinearLR(optimizer, start_factor=0.2, end=1)
    for _ in range(5):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]['lr'] == pytest.approx(0.2)  # and not 1: the check is needed


@pytest.mark.parametrize('entry, key', [
    ([WARM_UP], 'param_scheduler.0.end'),
    ([dict(type='MultiStepLR', milestones=[1]), dict(type='LinearLR', begin=3, end=4)], 'param_scheduler.1.end'),
    (WARM_UP, 'param_scheduler.end'),
    ([dict(type=LinearLR, end=1)], 'param_scheduler.0.end'),
    ([dict(type='mmengine.LinearMomentum', start_factor=0.5, end=1)], 'param_scheduler.0.end'),
])
def test_a_warm_up_of_one_step_is_refused(base, entry, key):
    config = load_config(base)
    config.param_scheduler = entry
    with pytest.raises(ConfigError, match='has one step') as caught:
        check_config(config)
    least = (entry if isinstance(entry, dict) else entry[-1]).get('begin', 0) + 2
    assert f'set {key} to {least} or more' in str(caught.value)


def test_the_option_is_named(write, base):
    write('x.py', f"_base_ = 'base.py'\nparam_scheduler = [{dict(WARM_UP, end=5)!r}]\n")
    with pytest.raises(ConfigError, match=r'^--cfg-options param_scheduler\.0\.end: LinearLR from 0 to 1 has one '
                                          r'step, so that the value would stay at 0\.2 of that of the optimizer'):
        load_config('x.py', {'param_scheduler.0.end': 1})


@pytest.mark.parametrize('entry', [
    dict(WARM_UP, end=2),
    dict(WARM_UP, convert_to_iter_based=True),
    dict(WARM_UP, end_factor=0.2),
    dict(type='LinearLR', begin=3),
    dict(type='CosineAnnealingLR', T_max=1, end=1),
    dict(WARM_UP, start_factor='fast'),  # that is told where it is built
])
def test_others_are_loaded(base, entry):
    config = load_config(base)
    config.param_scheduler = [entry]
    check_config(config)
