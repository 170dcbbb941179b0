"""Randomness that belongs to a sample, not to the process that loads it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.utils.data import get_worker_info

_MASK32 = (1 << 32) - 1
_own_numpy = np.random.MT19937(0)


class SampleIndex(int):
    """An index that carries the seed of its sample's augmentation.

    Args:
        value (int): The index.
        rng_seed (int, optional): Seed in [0, 2^63), made from the run's seed, the
            epoch and the position in the global order. None: not seeded.
    """

    rng_seed: int | None

    def __new__(cls, value: int, rng_seed: int | None = None) -> SampleIndex:
        index = super().__new__(cls, value)
        index.rng_seed = rng_seed
        return index


@contextmanager
def sample_rng(idx: int) -> Iterator[None]:
    """Seed ``random``, ``numpy.random`` and torch (CPU) for one sample.

    Within the context they are seeded with ``idx.rng_seed``; after it they go on
    as if nothing had been drawn. An index without a seed changes nothing.
    CUDA's generators are left alone.
    """
    seed = getattr(idx, 'rng_seed', None)
    if seed is None:
        yield
        return
    seed = int(seed)
    torch_rng = torch.default_generator
    python_state, torch_state = random.getstate(), torch_rng.get_state()
    numpy_rng = np.random.get_bit_generator()
    # Another bit generator is put in for the time being: faster than to save and restore the state. That
    # drops the half of a Gaussian pair which numpy keeps; only the main process has one worth keeping.
    numpy_state = np.random.get_state() if get_worker_info() is None else None  # noqa: NPY002
    np.random.set_bit_generator(_own_numpy)
    try:
        random.seed(seed)
        np.random.seed((seed ^ (seed >> 32)) & _MASK32)  # noqa: NPY002
        torch_rng.manual_seed(seed)
        yield
    finally:
        random.setstate(python_state)
        torch_rng.set_state(torch_state)
        np.random.set_bit_generator(numpy_rng)
        if numpy_state is not None and numpy_state[3]:
            np.random.set_state(numpy_state)  # noqa: NPY002
