"""Batches that do not depend on the number of processes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from mmengine.dist import get_dist_info

from ...registry import SAMPLERS
from ...utils.errors import CheckpointError, ConfigError
from ...utils.rng import SampleIndex, sample_seeds


@SAMPLERS.register_module()
class GlobalBatchSampler:
    """Cut the global order of an epoch into batches and deal them to the processes.

    The order is cut into global batches of ``batch_size``; the last one is filled
    from the start of the order, so that each step has the same size. A batch is
    dealt to W processes and k accumulated micro-batches as to W k hands: hand h
    takes the positions h, h + W k, h + 2 W k, ..., and process r plays the hands
    r, r + W, r + 2 W, ... one after the other. So 1 process with k = 4 sees the
    same micro-batches as 4 processes with k = 1, in the same steps.

    The groups of a sampler with a ``group_size`` above 1, as the pairs of
    :class:`PairedSampler`, are cut and dealt as one sample each: ``batch_size`` counts
    them, and each hand has whole ones, their members one after the other.

    Of a sampler that has ``indices_at(positions)``, too, each batch is drawn when
    its step comes: what the sampler learns then acts at once.

    Args:
        sampler (LongTailSampler): Gives the order; anything that has
            ``epoch_indices()``, ``num_samples``, ``seed`` and ``epoch``.
        batch_size (int): Samples (groups of them, where the sampler has groups) of
            one optimiser step over all processes, > 0.
        drop_last (bool): Whether the last batch is left out when it is not full.
            Defaults to False.
        accumulation (int): Micro-batches k of each process a step, > 0. Defaults
            to 1.
        world_size (int, optional): Number of processes W. Defaults to that of
            the process group.
        rank (int, optional): Number of this process, in [0, W). Defaults to that
            of the process group.

    Raises:
        ConfigError: An argument is not as above; ``batch_size`` cannot be divided
            by W k; or no batch would be full and ``drop_last`` is set.
    """

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool = False, accumulation: int = 1,
                 world_size: int | None = None, rank: int | None = None) -> None:
        if not hasattr(sampler, 'epoch_indices'):
            raise ConfigError(
                'GlobalBatchSampler needs a sampler of ltkit, which knows the order of all processes, but '
                f'{type(sampler).__name__} has no epoch_indices(); '
                "use sampler=dict(type='InstanceBalancedSampler')")
        for key, value in dict(batch_size=batch_size, accumulation=accumulation).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f'GlobalBatchSampler: {key} must be a whole number >= 1, but is {value!r}')
        group_rank, group_size = get_dist_info()
        self.world_size = group_size if world_size is None else world_size
        self.rank = group_rank if rank is None else rank
        if not 0 <= self.rank < self.world_size:
            raise ConfigError(
                f'GlobalBatchSampler: rank {self.rank} is not one of {self.world_size} processes')
        self.sampler = sampler
        self.group_size = getattr(sampler, 'group_size', 1)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.accumulation = accumulation
        self.hands = self.world_size * accumulation
        if batch_size % self.hands:
            raise ConfigError(_does_not_divide(batch_size, self.world_size, accumulation))
        if self.num_steps == 0:
            raise ConfigError(
                f'GlobalBatchSampler: an epoch has {sampler.num_samples} samples, fewer than one batch of '
                f'{batch_size}, and drop_last=True leaves no step; lower batch_size or set drop_last=False')
        self._progress = (sampler.epoch, 0)  # epoch, micro-batches handed out
        self._start = (sampler.epoch, 0)  # epoch, step where the next iteration begins

    @property
    def num_steps(self) -> int:
        """Optimiser steps, which are global batches, of an epoch."""
        whole, rest = divmod(self.sampler.num_samples, self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def set_epoch(self, epoch: int) -> None:
        """Hand the 0-based epoch to the sampler."""
        self.sampler.set_epoch(epoch)

    def skip(self, num_steps: int) -> None:
        """Begin the next iteration ``num_steps`` optimiser steps into the current epoch.

        Raises:
            ConfigError: ``num_steps`` is not in [0, steps of an epoch].
        """
        if not 0 <= num_steps <= self.num_steps:
            raise ConfigError(
                f'GlobalBatchSampler cannot skip {num_steps} steps of an epoch of {self.num_steps}')
        self._start = (self.sampler.epoch, num_steps)
        self._progress = (self.sampler.epoch, num_steps * self.accumulation)

    def state_dict(self) -> dict[str, int]:
        """Seed, epoch and step; valid for any number of processes that divides the batch.

        ``step`` counts the whole steps handed out, which run ahead of training by
        what a loader with workers prefetches; :meth:`skip` takes the true number.
        """
        epoch, batches = self._progress
        step = batches // self.accumulation if epoch == self.sampler.epoch else 0
        return dict(seed=self.sampler.seed, epoch=self.sampler.epoch, step=step,
                    num_samples=self.sampler.num_samples, batch_size=self.batch_size)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken; the sampler's seed and epoch come with it.

        Raises:
            CheckpointError: The state is of another epoch length or batch size.
        """
        here = dict(num_samples=self.sampler.num_samples, batch_size=self.batch_size)
        for key, value in here.items():
            if state[key] != value:
                raise CheckpointError(
                    f'the checkpoint has a batch sampler with {key}={state[key]}, but this run has {value}; '
                    'resume with the data set, sampler and batch_size of that run')
        self.sampler.seed = int(state['seed'])
        self.sampler.set_epoch(int(state['epoch']))
        self.skip(int(state['step']))

    def global_batches(self) -> np.ndarray:
        """All batches of the current epoch, int64, shape ``(num_steps, batch_size * group_size)``."""
        return np.resize(self.sampler.epoch_indices(), self._shape)

    @property
    def _shape(self) -> tuple[int, int]:
        return self.num_steps, self.batch_size * self.group_size

    def __iter__(self) -> Iterator[list[int]]:
        return ([SampleIndex(*pair) for pair in zip(indices.tolist(), seeds.tolist())]
                for indices, seeds in self.array_batches())

    def array_batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The same micro-batches as arrays: indices int64 and seeds uint64, shape ``(n,)`` each."""
        epoch = self.sampler.epoch
        start = self._start[1] if self._start[0] == epoch else 0
        self._start = (epoch, 0)
        self._progress = (epoch, start * self.accumulation)
        seeds = sample_seeds(self.sampler.seed, epoch, math.prod(self._shape)).reshape(self._shape)
        if hasattr(self.sampler, 'indices_at'):  # each batch is drawn when its step comes
            positions = np.arange(seeds.size).reshape(self._shape)
            batches: Iterable[np.ndarray] = map(self.sampler.indices_at, positions[start:])
        else:
            batches = self.global_batches()[start:]
        return self._hand_out(batches, seeds[start:])

    def _hand_out(self, batches: Iterable[np.ndarray],
                  seeds: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for batch, batch_seeds in zip(batches, seeds):
            for hand in range(self.rank, self.hands, self.world_size):
                epoch, done = self._progress
                self._progress = (epoch, done + 1)
                yield self._dealt(batch, hand), self._dealt(batch_seeds, hand)

    def _dealt(self, batch: np.ndarray, hand: int) -> np.ndarray:
        """What a hand gets of a batch: every ``hands``-th group."""
        return batch.reshape(-1, self.group_size)[hand::self.hands].ravel()

    def __len__(self) -> int:
        """Micro-batches of this process in a whole epoch: steps times ``accumulation``."""
        return self.num_steps * self.accumulation


def _does_not_divide(batch_size: int, world_size: int, accumulation: int) -> str:
    hands = world_size * accumulation
    quotient, rest = divmod(batch_size, hands)
    parts = f'{world_size} processes'
    if accumulation > 1:
        parts += f' x {accumulation} accumulated micro-batches'
    near = f'{quotient * hands} or {(quotient + 1) * hands}' if quotient else str(hands)
    return (f'batch_size={batch_size} is the batch of one optimiser step over all processes and cannot be '
            f'divided by {parts} ({batch_size} = {quotient} x {hands} + {rest}); use {near}, or another '
            'number of processes')
