"""What every classifier checks of its arguments."""

from __future__ import annotations

from ltkit.utils.errors import ConfigError


def check_sizes(num_classes: int, in_channels: int) -> None:
    """Raise :class:`ConfigError` unless both are positive whole numbers."""
    for name, value in dict(num_classes=num_classes, in_channels=in_channels).items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f'{name} of a classifier must be a whole number above 0, but is {value!r}')
