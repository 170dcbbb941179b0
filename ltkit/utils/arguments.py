"""Arguments of one kind: a number in a range, an epoch, one of a few names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

from .errors import ConfigError, did_you_mean


def checked_number(name: str, value: Any, at_least: float = 0.0, below: float = math.inf,
                   at_most: float = math.inf) -> float:
    """An argument as a float.

    Args:
        name (str): The argument's, for the message.
        value: What was given.
        at_least (float): The smallest value allowed. Defaults to 0.0.
        below (float): What it has to be smaller than. Defaults to infinity.
        at_most (float): The largest value allowed. Defaults to infinity.

    Raises:
        ConfigError: It is no number, or out of its range.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not at_least <= value < below or value > at_most:
        allowed = f'{at_least:g} or more'
        if min(below, at_most) < math.inf:
            allowed = f'in [{at_least:g}, ' + (f'{below:g})' if below <= at_most else f'{at_most:g}]')
        raise ConfigError(f'{name} must be a number {allowed}, but is {value!r}')
    return float(value)


def checked_epoch(name: str, value: Any, or_none: bool = False) -> Any:
    """An argument that is a 0-based epoch, as it is; with ``or_none`` it may be None.

    Raises:
        ConfigError: It is none.
    """
    if value is None and or_none:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f'{name} must be a 0-based epoch (0 or more){", or None" if or_none else ""}, '
                          f'but is {value!r}')
    return value


def checked_choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """An argument that is one of a few names.

    Raises:
        ConfigError: It is none of ``allowed``.
    """
    if value not in allowed:
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}, but is {value!r}"
                          f'{did_you_mean(str(value), allowed)}')
    return value
