"""Errors of parts that refuse their arguments, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from ltkit.utils.errors import ConfigError, LtkitError


@contextmanager
def building(key: str) -> Iterator[None]:
    """Turn what a class raises about its arguments into a :class:`ConfigError`.

    Concerns ``TypeError``, ``ValueError`` and ``AssertionError``, as of an
    optimizer of torch or a scheduler of mmengine; the first error is kept as the
    cause.

    Args:
        key (str): The key of the config that is built.
    """
    try:
        yield
    except LtkitError:
        raise
    except (TypeError, ValueError, AssertionError) as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        part = _constructed(error.__traceback__)
        raise ConfigError(f"{key}: {f'{part}: ' if part else ''}{reason} (LTKIT_DEBUG=1 shows where)") from error


def _constructed(traceback: TracebackType | None) -> str | None:
    """The class whose constructor raised, the innermost."""
    name = None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == '__init__' and 'self' in frame.f_locals:
            name = type(frame.f_locals['self']).__name__
        traceback = traceback.tb_next
    return name
