"""Two samplers side by side: pairs of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any

import numpy as np

from ...registry import SAMPLERS
from ...utils.errors import ConfigError
from .long_tail_sampler import LongTailSampler

GIVEN_ONCE = ('dataset', 'seed', 'num_samples', 'round_up')


@SAMPLERS.register_module()
class PairedSampler(LongTailSampler):
    """Pairs of one sample of each of two samplers, for models of two branches.

    The order is :math:`a_1, b_1, a_2, b_2, ...` with :math:`a` the order of the
    first sampler and :math:`b`, independent of it, that of the second. The samples
    of a pair stay together: processes and accumulated micro-batches get whole
    pairs. ``num_samples`` and ``train_dataloader.batch_size`` count pairs, so that
    an epoch has as many steps as with the first sampler alone, of twice the images.

    By default the pairs are those of BBN, one image uniformly and one with the
    class probabilities reversed. Source: Zhou et al., *BBN: Bilateral-Branch
    Network with Cumulative Learning for Long-Tailed Visual Recognition*, CVPR 2020,
    arXiv 1912.02413.

    Args:
        dataset (Sized): The data set, of N > 0 samples, as its samplers need it.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Pairs an epoch over all processes, > 0.
            Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number of pairs. Defaults to True.
        first (dict, optional): A sampler of ltkit without the arguments above.
            Defaults to ``dict(type='InstanceBalancedSampler')``.
        second (dict, optional): Likewise. Defaults to
            ``dict(type='ReversedSampler')``.

    Raises:
        ConfigError: ``first`` or ``second`` is no such config, states an argument
            that is given once, or is a sampler that learns or has groups itself.
    """

    group_size = 2
    prior_correction = ('first', 'second')  # the mean of both; see ltkit.config.compatibility

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True, first: dict = dict(type='InstanceBalancedSampler'),  # noqa: B006
                 second: dict = dict(type='ReversedSampler')) -> None:  # noqa: B006
        super().__init__(dataset, seed, num_samples, round_up)
        self.first = self._built('first', first)
        self.second = self._built('second', second)

    def _built(self, key: str, config: Any) -> LongTailSampler:
        name = type(self).__name__
        if not isinstance(config, Mapping) or 'type' not in config:
            raise ConfigError(f"{name}: {key} must be the config of a sampler, as dict(type='ReversedSampler'), but "
                              f'is {config!r}')
        for argument in GIVEN_ONCE:
            if argument in config:
                raise ConfigError(f'{name}: {key}.{argument} is given once for both samplers, as {argument} of {name}')
        kind = SAMPLERS.get(config['type']) if isinstance(config['type'], str) else config['type']
        single = isinstance(kind, type) and issubclass(kind, LongTailSampler) and kind.group_size == 1
        if kind is not None and (not single or hasattr(kind, 'indices_at')):
            raise ConfigError(f'{name}: {key} must be a sampler of ltkit that draws single samples, an epoch at a '
                              f"time, as dict(type='ReversedSampler'), but is {getattr(kind, '__name__', kind)}")
        return SAMPLERS.build(dict(config, dataset=self.dataset, seed=self.seed, num_samples=self.num_samples))

    def set_max_epochs(self, max_epochs: int) -> None:
        """Tell the length of the training to the samplers that depend on it."""
        for sampler in (self.first, self.second):
            if hasattr(sampler, 'set_max_epochs'):
                sampler.set_max_epochs(max_epochs)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The order of one epoch; see :meth:`LongTailSampler.draw`.

        The first sampler gets the generator as it comes, and so its order of the
        same seed alone; the second one goes on with it.
        """
        orders = []
        for sampler in (self.first, self.second):
            sampler.set_epoch(self.epoch)
            orders.append(sampler.order_from(rng))
        return np.stack(orders, axis=1).ravel()
