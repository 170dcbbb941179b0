"""Patterns over dotted names, for what a config says of a model's parts."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from .errors import ConfigError, did_you_mean


def matches(name: str, pattern: str) -> bool:
    """Whether ``pattern`` names ``name`` or something above it.

    ``*``, ``?`` and ``[...]`` stand for what they do in file names.

    Example:
        >>> matches('backbone.conv1.weight', 'backbone')
        True
        >>> matches('backbone.layer2.0.conv1.weight', 'backbone.layer[12]')
        True
        >>> matches('backbone2.weight', 'backbone')
        False
    """
    parts = name.split('.')
    return any(fnmatchcase('.'.join(parts[:end]), pattern) for end in range(1, len(parts) + 1))


def as_patterns(value: object, key: str) -> tuple[str, ...]:
    """A pattern or a list of them, as a tuple.

    Raises:
        ConfigError: It is something else; names ``key``.
    """
    patterns = (value, ) if isinstance(value, str) else value
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(item, str) and item for item in patterns):
        raise ConfigError(f"{key} must be the name of a part or a list of names such as ['backbone', "
                          f"'head.classifier'], but is {value!r}")
    return tuple(patterns)


def select(names: Iterable[str], patterns: Iterable[str], key: str, what: str) -> list[str]:
    """The names that one of the patterns matches, in their order.

    Args:
        names: Dotted names.
        patterns: Each must match something.
        key (str): The key of the config, for the error.
        what (str): What the names are, for the error.

    Raises:
        ConfigError: A pattern matches nothing.
    """
    names, patterns = list(names), tuple(patterns)
    for pattern in patterns:
        if not any(matches(name, pattern) for name in names):
            above = {'.'.join(name.split('.')[:end]) for name in names for end in range(1, name.count('.') + 2)}
            tops = sorted({name.split('.')[0] for name in names})
            hint = did_you_mean(pattern, above) or f"; the model has {', '.join(tops) or 'none'}"
            raise ConfigError(f"{key}: '{pattern}' matches no {what} of the model{hint}")
    return [name for name in names if any(matches(name, pattern) for pattern in patterns)]
