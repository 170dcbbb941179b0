"""Tests of ltkit.engine.no_optim_wrapper."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from ltkit.engine.no_optim_wrapper import NoOptimWrapper
from ltkit.utils.errors import ConfigError


def test_it_holds_nothing():
    wrapper = NoOptimWrapper()
    assert isinstance(wrapper, OptimWrapper)  # which mmengine asks for
    wrapper.initialize_count_status(nn.Linear(1, 1), 0, 10)
    wrapper.load_state_dict(wrapper.state_dict())
    assert wrapper.state_dict() == wrapper.get_lr() == wrapper.get_momentum() == {}
    assert wrapper.param_groups == []
    assert repr(wrapper) == 'NoOptimWrapper()'


def test_it_takes_no_step():
    with pytest.raises(ConfigError, match='no optimizer, so nothing can be trained by gradients; give an optim'):
        NoOptimWrapper().update_params(torch.zeros(()))
