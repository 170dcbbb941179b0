"""Schedules that would leave the learning rate where nobody wants it."""

from __future__ import annotations

import math
from typing import Any

from ltkit.utils.errors import ConfigError

from .locate import Locator

WARM_UP = 'Linear'  # LinearLR, LinearMomentum, LinearParamScheduler


def check_schedules(config: Any, locator: Locator) -> None:
    """Refuse a linear warm-up of a single step.

    mmengine's :class:`LinearLR` has ``start_factor`` in the step ``begin`` and reaches
    ``end_factor`` in the step ``end - 1``. Where both are the same step, it stays at
    ``start_factor`` to the end of the training, at a fifth of the learning rate, say.

    Args:
        config (dict): The resolved config.
        locator (Locator): Finds where a value was written.

    Raises:
        ConfigError: A scheduler is such a one.
    """
    schedulers = config.get('param_scheduler') or []
    several = not isinstance(schedulers, dict)
    for number, scheduler in enumerate(schedulers if several else [schedulers]):
        if not isinstance(scheduler, dict) or not _stays(scheduler):
            continue
        path = ('param_scheduler', *([str(number)] if several else []), 'end')
        begin, start = scheduler.get('begin', 0), scheduler.get('start_factor', 1 / 3)
        raise ConfigError(
            f"{locator.where(path)}: {scheduler['type']} from {begin} to {scheduler['end']} has one step, so that the "
            f'value would stay at {start:.3g} of that of the optimizer to the end of the training; set '
            f"{'.'.join(path)} to {begin + 2} or more, or give convert_to_iter_based=True for one within the epoch"
        )


def _stays(scheduler: dict) -> bool:
    """Whether a scheduler never leaves its first value."""
    kind, begin, end = scheduler.get('type'), scheduler.get('begin', 0), scheduler.get('end', math.inf)
    if not isinstance(kind, str) or not kind.rsplit('.', 1)[-1].startswith(WARM_UP):
        return False
    if scheduler.get('convert_to_iter_based') or not all(isinstance(value, (int, float)) for value in (begin, end)):
        return False
    return end - begin == 1 and scheduler.get('start_factor', 1 / 3) != scheduler.get('end_factor', 1.0)
