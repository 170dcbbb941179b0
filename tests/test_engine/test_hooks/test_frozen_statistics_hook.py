"""Tests of keeping the running statistics of a frozen part."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn

from ltkit.engine.freezing import freeze
from ltkit.engine.hooks import FrozenStatisticsHook


def test_frozen_statistics_stay_to_the_bit_while_the_rest_moves():
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm1d(3))
    freeze(model, dict(statistics='0'))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    hook, runner = FrozenStatisticsHook(), SimpleNamespace(model=model)
    hook.before_train(runner)
    for batch in range(3):
        model.train()  # as each epoch does
        hook.before_train_iter(runner, batch)
        model(torch.randn(8, 3) * 5 + 2)
    assert not model[0].training and model[1].training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == (name.startswith('0.') or name in ('1.weight', '1.bias')), name
    model.eval()
    assert not model[0].training
