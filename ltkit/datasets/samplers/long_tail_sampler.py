"""The base of all samplers: one global order an epoch, the same on each process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import Any

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from ...utils.errors import CheckpointError, ConfigError, DataError
from ...utils.rng import SampleIndex, sample_seeds


class LongTailSampler(Sampler[int]):
    """A sampler is its :meth:`draw`: the order of one epoch from one generator.

    The order of an epoch is a function of (seed, epoch) alone, for all processes
    together; process r of W takes the positions r, r + W, r + 2W, ... of it.
    Each index is a :class:`~ltkit.utils.rng.SampleIndex`. A sampler of your own
    derives from this class and overrides :meth:`draw`. In training it is mostly
    read by :class:`GlobalBatchSampler`, through :meth:`epoch_indices`.

    Where ``group_size`` is above 1, a sample in the sense of ``num_samples``, of
    positions and of a batch size is a group of so many neighbours of the order,
    which no split over processes parts; see :class:`PairedSampler`.

    Args:
        dataset (Sized): The data set, of N > 0 samples.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Samples an epoch over all processes, > 0.
            Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.

    Raises:
        DataError: The data set is empty.
        ConfigError: ``seed`` or ``num_samples`` is not a number as above.
    """

    group_size = 1

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True) -> None:
        name = type(self).__name__
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.dataset_size = len(dataset)
        if self.dataset_size == 0:
            raise DataError(f'{name}: the data set ({type(dataset).__name__}) has no sample')
        num_samples = self.dataset_size if num_samples is None else num_samples
        self.num_samples = _whole(name, 'num_samples', num_samples, 1)
        self.seed = _whole(name, 'seed', sync_random_seed() if seed is None else seed, 0)
        self.round_up = round_up
        self.epoch = 0
        self._position = 0  # global samples of this epoch handed out
        self._start = 0  # where the next iteration begins

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the order of one epoch.

        Args:
            rng (Generator): Freshly seeded from (seed, epoch). Use no other
                source of randomness.

        Returns:
            ndarray: Indices in [0, N), whole numbers, shape ``(num_samples *
            group_size,)``.
        """
        raise NotImplementedError(f'{type(self).__name__} must override draw(rng)')

    def epoch_indices(self) -> np.ndarray:
        """The global order of the current epoch, int64, shape ``(num_samples * group_size,)``."""
        return self.order_from(self.generator())

    def order_from(self, rng: np.random.Generator) -> np.ndarray:
        """What :meth:`draw` gives, checked; shape as of :meth:`epoch_indices`.

        Raises:
            ConfigError: It has another shape.
        """
        order = np.asarray(self.draw(rng), dtype=np.int64)
        if order.shape != (self.num_samples * self.group_size,):
            of = '' if self.group_size == 1 else f' groups of {self.group_size}'
            raise ConfigError(f'{type(self).__name__}.draw() returned shape {order.shape}, but an epoch has '
                              f'num_samples={self.num_samples}{of}')
        return order

    def generator(self, *stream: int) -> np.random.Generator:
        """A generator of random numbers that is a function of seed, epoch and ``stream``."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, self.epoch, *stream])))

    def set_epoch(self, epoch: int) -> None:
        """Choose the 0-based epoch; another epoch than the current one begins at its start."""
        if epoch != self.epoch:
            self._position = self._start = 0
        self.epoch = int(epoch)

    def skip(self, num_samples: int) -> None:
        """Begin the next iteration ``num_samples`` global samples into the epoch.

        Args:
            num_samples (int): In [0, samples an epoch]; counted over all
                processes, so a whole multiple of their number.

        Raises:
            ConfigError: It is not such a number.
        """
        num_samples = _whole(type(self).__name__, 'samples to skip', num_samples, 0)
        total = self._total()
        if num_samples > total or (num_samples % self.world_size and num_samples != total):
            raise ConfigError(f'{type(self).__name__} cannot skip {num_samples} samples: a multiple of the '
                              f'{self.world_size} processes, at most the {total} of an epoch, is wanted')
        self._position = self._start = num_samples

    def state_dict(self) -> dict[str, int]:
        """Seed, epoch and position, for a checkpoint; does not depend on the number of processes.

        ``position`` counts what was handed out, which runs ahead of training by
        what a loader with workers prefetches; :meth:`skip` takes the true number.
        """
        return dict(seed=self.seed, epoch=self.epoch, position=self._position, num_samples=self.num_samples,
                    dataset_size=self.dataset_size)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken.

        Raises:
            CheckpointError: The state is of another data set or epoch length.
        """
        for key in ('dataset_size', 'num_samples'):
            if state[key] != getattr(self, key):
                raise CheckpointError(
                    f'the checkpoint has a sampler with {key}={state[key]}, but this run has '
                    f'{getattr(self, key)}; resume with the data set and sampler of that run')
        self.seed, self.epoch = int(state['seed']), int(state['epoch'])
        self.skip(min(int(state['position']), self._total()))

    def __iter__(self) -> Iterator[int]:
        start, self._start = self._start, 0
        self._position = start
        shape = self._total(), self.group_size
        order = np.resize(self.epoch_indices(), shape)  # fills from the start
        seeds = sample_seeds(self.seed, self.epoch, order.size).reshape(shape)
        mine = slice(start + self.rank, None, self.world_size)
        return self._hand_out(order[mine].ravel().tolist(), seeds[mine].ravel().tolist())

    def _hand_out(self, order: list[int], seeds: list[int]) -> Iterator[int]:
        for number, (index, rng_seed) in enumerate(zip(order, seeds), 1):
            if number % self.group_size == 0:
                self._position = min(self._position + self.world_size, self._total())
            yield SampleIndex(index, rng_seed)

    def __len__(self) -> int:
        """Indices that this process gets in a whole epoch."""
        return len(range(self.rank, self._total(), self.world_size)) * self.group_size

    def _total(self) -> int:
        if not self.round_up:
            return self.num_samples
        return -(-self.num_samples // self.world_size) * self.world_size


def _whole(name: str, key: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ConfigError(f'{name}: {key} must be a whole number >= {least}, but is {value!r}')
    return int(value)
