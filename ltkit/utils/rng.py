"""Random states: one seed a sample, and all generators of a process in a checkpoint."""

from __future__ import annotations

import random
from types import TracebackType
from typing import Any

import numpy as np
import torch

_MASK_32 = 0xFFFFFFFF
_MASK_64 = 0xFFFFFFFFFFFFFFFF
_MIX = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, odd
_BIT_GENERATOR = np.random.MT19937(0)  # numpy's while a sample is made; swapping is faster than copying


class SampleIndex(int):
    """The index of a sample that carries the seed of the sample's augmentation.

    The samplers make the seed from (seed, epoch, position in the global order),
    so that what happens to a sample depends neither on the number of loader
    workers nor on the number of processes. ``+``, ``-`` and ``%`` with a number
    keep the seed: an index survives the arithmetic of ``ConcatDataset`` and
    ``RepeatDataset``.

    Args:
        value (int): The index in the data set.
        rng_seed (int, optional): Seed in [0, 2**64). ``None`` for none.
    """

    rng_seed: int | None

    def __new__(cls, value: int, rng_seed: int | None = None) -> SampleIndex:
        index = super().__new__(cls, value)
        index.rng_seed = rng_seed
        return index

    def __reduce__(self) -> tuple[Any, ...]:
        return SampleIndex, (int(self), self.rng_seed)

    def __add__(self, other: int) -> SampleIndex:
        return SampleIndex(int(self) + int(other), self.rng_seed)

    def __sub__(self, other: int) -> SampleIndex:
        return SampleIndex(int(self) - int(other), self.rng_seed)

    def __mod__(self, other: int) -> SampleIndex:
        return SampleIndex(int(self) % int(other), self.rng_seed)


class sample_rng:
    """Seed the generators of python, numpy and torch (CPU) for one sample.

    On entry the three global generators are seeded from ``index.rng_seed``; on
    exit they go on where they were. An index without a seed changes nothing.
    May be nested. Not for several threads at once, like the generators
    themselves. One thing is not put back: the second value that numpy's
    ``np.random.randn`` holds ready after an odd number of draws.

    Args:
        index (int): An index, mostly a :class:`SampleIndex`.

    Example:
        >>> with sample_rng(SampleIndex(7, rng_seed=1)):
        ...     first = np.random.rand()
        >>> with sample_rng(SampleIndex(7, rng_seed=1)):
        ...     assert np.random.rand() == first
    """

    __slots__ = ('_numpy', '_python', '_seed', '_torch')

    def __init__(self, index: int) -> None:
        self._seed = getattr(index, 'rng_seed', None)

    def __enter__(self) -> None:
        seed = self._seed
        if seed is None:
            return
        self._python = random.getstate()
        self._torch = torch.default_generator.get_state()
        self._numpy = np.random.get_bit_generator()
        nested = self._numpy is _BIT_GENERATOR
        np.random.set_bit_generator(np.random.MT19937(0) if nested else _BIT_GENERATOR)
        random.seed(seed)
        np.random.seed(seed & _MASK_32)  # noqa: NPY002 (the pipelines use the global generator)
        # Of one 32-bit seed numpy and torch (both MT19937) would draw the same numbers.
        torch.default_generator.manual_seed((seed * _MIX & _MASK_64) >> 32)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if self._seed is None:
            return
        random.setstate(self._python)
        torch.default_generator.set_state(self._torch)
        np.random.set_bit_generator(self._numpy)


def rng_state() -> dict[str, Any]:
    """The states of all generators of this process, for a checkpoint.

    Returns:
        dict: ``python``, ``numpy``, ``torch`` and ``cuda`` (one tensor a device,
        empty where CUDA is not in use), made of tensors, tuples, lists, strings
        and numbers alone, so that ``torch.load(..., weights_only=True)`` reads
        it.
    """
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    keys = torch.from_numpy(keys.astype(np.int64))
    return dict(
        python=random.getstate(),
        numpy=(str(kind), keys, int(position), int(has_gauss), float(gauss)),
        torch=torch.get_rng_state(),
        cuda=list(cuda))


def set_rng_state(state: dict[str, Any]) -> None:
    """Put back what :func:`rng_state` took.

    Args:
        state (dict): The states. CUDA states of devices that this machine does
            not have are left aside.

    Raises:
        KeyError: A generator is missing in ``state``.
    """
    version, keys, gauss_next = state['python']
    random.setstate((version, tuple(keys), gauss_next))
    kind, keys, position, has_gauss, gauss = state['numpy']
    np.random.set_state(  # noqa: NPY002
        (kind, keys.cpu().numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state['torch'].cpu())
    if state['cuda'] and torch.cuda.is_available():
        for device, cuda_state in enumerate(state['cuda'][:torch.cuda.device_count()]):
            torch.cuda.set_rng_state(cuda_state.cpu(), device)


def sample_seeds(seed: int, epoch: int, length: int) -> np.ndarray:
    """One seed for each position of the global order of an epoch.

    The SplitMix64 sequence (Steele et al., OOPSLA 2014) from a start that numpy's
    ``SeedSequence`` mixes of ``(seed, epoch)``; the seed of a position does not
    depend on ``length``.

    Args:
        seed (int): Seed of the sampler, >= 0.
        epoch (int): 0-based epoch.
        length (int): Number of positions.

    Returns:
        ndarray: uint64, shape ``(length,)``.
    """
    start = np.random.SeedSequence([seed, epoch, 1]).generate_state(1, np.uint64)
    return mix_bits(start + np.arange(1, length + 1, dtype=np.uint64) * np.uint64(_MIX))


def mix_bits(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64: near numbers in, independent ones out.

    Args:
        values (ndarray): uint64, any shape.

    Returns:
        ndarray: uint64, the same shape.
    """
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


class SampleDraws:
    """Random numbers for a whole batch, each sample from its own seed.

    Draw k of a sample is a function of its seed and k alone (SplitMix64, started
    at the seed): it depends neither on the other samples of the batch nor on the
    number of processes, nor on the device.

    Args:
        seeds (ndarray): One a sample, uint64, shape ``(N,)``.
    """

    def __init__(self, seeds: np.ndarray) -> None:
        self._state = seeds.astype(np.uint64)

    def __len__(self) -> int:
        return len(self._state)

    def uniform(self) -> np.ndarray:
        """The next number of each sample, float64 in [0, 1), shape ``(N,)``."""
        self._state += np.uint64(_MIX)
        return (mix_bits(self._state) >> np.uint64(11)) * 2.0**-53

    def integers(self, high: int) -> np.ndarray:
        """The next whole number in [0, high) of each sample, int64, shape ``(N,)``."""
        return (self.uniform() * high).astype(np.int64)
