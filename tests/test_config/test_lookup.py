"""Look-up of registered names."""

from __future__ import annotations

import torch

from ltkit.config.lookup import find_part, is_scope, not_registered, registry_of
from ltkit.registry import DATASETS, MODELS


def test_registry_of_a_scope():
    assert registry_of('MODELS', 'ltkit') is MODELS
    assert registry_of('DATASETS', 'ltkit') is DATASETS
    assert registry_of('FUNCTIONS', 'ltkit').scope == 'mmengine'
    assert registry_of('MODELS', 'mmengine').scope == 'mmengine'


def test_names():
    assert find_part('SGD', 'OPTIMIZERS', 'ltkit') is torch.optim.SGD
    assert find_part('torch.nn.ReLU', 'MODELS', 'ltkit') is torch.nn.ReLU
    assert find_part('ToyLoss', 'MODELS', 'ltkit').__name__ == 'ToyLoss'
    assert find_part('ToyLoss', 'HOOKS', 'ltkit').__name__ == 'ToyLoss'  # another registry
    assert find_part('LoadImageFromFile', 'TRANSFORMS', 'ltkit') is not None  # of mmcv
    assert find_part('NoSuchName', 'MODELS', 'ltkit') is None
    assert find_part('no_such_package.Name', 'MODELS', 'ltkit') is None


def test_message():
    assert "did you mean 'ToyLoss'" in not_registered('ToyLos', 'MODELS', 'ltkit')
    assert "did you mean 'ToyLoss'" in not_registered('ToyLos', 'LOOPS', 'ltkit')
    assert "the package 'no_such_package' is not installed" in not_registered(
        'no_such_package.X', 'MODELS', 'ltkit'
    )


def test_scopes():
    assert is_scope('ltkit') and is_scope('mmengine') and not is_scope('no_such_package')
