"""What of a config changes the result of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Where data and outputs lie, how a run is started, how fast it is.
WITHOUT_EFFECT = {
    'data_root',
    'work_dir',
    'launcher',
    'num_workers',
    'persistent_workers',
    'pin_memory',
    'prefetch_factor',
    'log_level',
    'visualizer',
    'vis_backends',
    'resume',
}


def with_effect(value: Any) -> Any:
    """A copy of a config, in dicts and lists, without what does not change the result."""
    if isinstance(value, Mapping):
        return {str(key): with_effect(item) for key, item in value.items() if key not in WITHOUT_EFFECT}
    if isinstance(value, (list, tuple)):
        return [with_effect(item) for item in value]
    return value


def differences(one: Any, other: Any, key: str = '') -> Iterator[tuple[str, Any, Any]]:
    """Where two configs differ: the dotted key, and the value in each (None where it is absent)."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys([*one, *other]):
            yield from differences(one.get(name), other.get(name), f'{key}.{name}' if key else str(name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other)):
            yield from differences(*pair, f'{key}.{number}' if key else str(number))
    elif one != other:
        yield key, one, other
