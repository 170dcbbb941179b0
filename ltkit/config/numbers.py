"""Settings that must be numbers of a certain kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ltkit.utils.errors import ConfigError

from .locate import Locator

LARGEST_SEED = 2**32 - 1  # of numpy


def is_whole(value: Any, least: int = 0) -> bool:
    """Whether ``value`` is an int of ``least`` or more (a bool is none)."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_seed(value: Any) -> bool:
    """Whether numpy, and so a run, can be seeded with ``value``."""
    return is_whole(value) and value <= LARGEST_SEED


def _is_rate(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf


POSITIVE: tuple[str, Callable[[Any], bool]] = ('a whole number from 1 on', lambda value: is_whole(value, 1))
COUNT: tuple[str, Callable[[Any], bool]] = ('a whole number from 0 on', is_whole)
RATE: tuple[str, Callable[[Any], bool]] = ('a number from 0 on', _is_rate)
SEED: tuple[str, Callable[[Any], bool]] = (f'a whole number from 0 to {LARGEST_SEED}', is_seed)

RULES = {
    'train_cfg.max_epochs': POSITIVE,
    'train_cfg.max_iters': POSITIVE,
    'train_cfg.val_interval': POSITIVE,
    'train_dataloader.batch_size': POSITIVE,
    'val_dataloader.batch_size': POSITIVE,
    'test_dataloader.batch_size': POSITIVE,
    'train_dataloader.num_workers': COUNT,
    'val_dataloader.num_workers': COUNT,
    'test_dataloader.num_workers': COUNT,
    'optim_wrapper.accumulative_counts': POSITIVE,
    'optim_wrapper.optimizer.lr': RATE,
    'optim_wrapper.optimizer.momentum': RATE,
    'optim_wrapper.optimizer.weight_decay': RATE,
    'randomness.seed': SEED,
}


def check_numbers(config: Any, locator: Locator) -> None:
    """Check the numbers of ``RULES``, as far as the config states them.

    Args:
        config (dict): The resolved config.
        locator (Locator): Finds where a value was written.

    Raises:
        ConfigError: One is out of its range or no number; None passes.
    """
    for key, (kind, fits) in RULES.items():
        path = tuple(key.split('.'))
        value = config
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None and not fits(value):
            raise ConfigError(f'{locator.where(path)}: {key} must be {kind}, but is {value!r}')
