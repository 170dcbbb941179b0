"""Schedules that would leave the learning rate where nobody wants it."""

from __future__ import annotations

import math
from typing import Any

from ltkit.utils.errors import ConfigError

from .locate import Locator

WARM_UP = 'Linear'  # LinearLR, LinearMomentum, LinearParamScheduler
DEFAULTS = dict(begin=0, end=math.inf, start_factor=1 / 3, end_factor=1.0)  # theirs


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
    several = isinstance(schedulers, (list, tuple))
    for number, scheduler in enumerate(schedulers if several else [schedulers]):
        if not isinstance(scheduler, dict) or not _stays(scheduler):
            continue
        path = ('param_scheduler', *([str(number)] if several else []), 'end')
        begin, start = (scheduler.get(key, DEFAULTS[key]) for key in ('begin', 'start_factor'))
        raise ConfigError(
            f"{locator.where(path)}: {_name(scheduler)} from {begin} to {scheduler['end']} has one step, so that the "
            f'value would stay at {start:.3g} of that of the optimizer to the end of the training; set '
            f"{'.'.join(path)} to {begin + 2} or more, or give convert_to_iter_based=True for one within the epoch"
        )


def _stays(scheduler: dict) -> bool:
    """Whether a scheduler never leaves its first value."""
    numbers = [scheduler.get(key, default) for key, default in DEFAULTS.items()]
    if not _name(scheduler).startswith(WARM_UP) or scheduler.get('convert_to_iter_based') \
            or not all(isinstance(number, (int, float)) for number in numbers):  # the scheduler tells what it is not
        return False
    begin, end, start_factor, end_factor = numbers
    return end - begin == 1 and start_factor != end_factor


def _name(scheduler: dict) -> str:
    """Of its class, which the config names or, in mmengine's new style, imports."""
    kind = scheduler.get('type', '')
    return kind.rsplit('.', 1)[-1] if isinstance(kind, str) else getattr(kind, '__name__', '')
