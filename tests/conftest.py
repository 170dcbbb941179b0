"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session', autouse=True)
def _one_thread() -> None:
    """Small tensors: threads only cost, and tests may run side by side."""
    torch.set_num_threads(1)


@pytest.fixture(scope='session')
def repo_root() -> Path:
    """The root of the repository."""
    return REPO


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """The folder of real data beside the repository; skips where there is none."""
    root = REPO.parent / 'shared' / 'data'
    if not root.is_dir():
        pytest.skip('the folder of shared data is not here')
    return root


@pytest.fixture(scope='session')
def cifar100_root() -> Path:
    """A folder that holds ``cifar-100-python``; skips where CIFAR-100 is absent."""
    given = os.environ.get('LTKIT_CIFAR100')
    for root in ([Path(given)] if given else []) + [REPO / 'data', REPO.parent / 'shared' / 'data']:
        if (root / 'cifar-100-python' / 'train').is_file():
            return root
    pytest.skip('CIFAR-100 is not here (set LTKIT_CIFAR100 to the folder that holds cifar-100-python)')
