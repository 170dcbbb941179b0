"""The global generators of python, numpy and torch, for the checks that watch them."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .conformance import expect


def seed_all(seed: int) -> None:
    """Seed all three."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def draw_all() -> tuple[float, float, float]:
    """The next number of each, in [0, 1)."""
    return random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002


def expect_untouched(function: Callable[[], Any], what: str) -> None:
    """A call leaves all three alone.

    Args:
        function (Callable): The call.
        what (str): Its subject and verb for the message, such as ``'building draws'``.
    """
    draw_all()  # a call that seeds them as they just were has moved them, too
    before = _states()
    function()
    moved = [name for name, state in _states().items() if state != before[name]]
    expect(not moved, f'{what} from the global generator of {", ".join(moved)}')


def _states() -> dict[str, bytes]:
    return dict(
        python=pickle.dumps(random.getstate()),
        numpy=pickle.dumps(np.random.get_state()),  # noqa: NPY002  # the place in the keys as well
        torch=torch.get_rng_state().numpy().tobytes())
