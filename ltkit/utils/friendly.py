"""One-line errors for the command-line tools."""

from __future__ import annotations

import functools
import os
import re
import sys
import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .errors import Interrupted, LtkitError

P = ParamSpec('P')
T = TypeVar('T')

USER_ERROR = 2
STOPPED = 75  # EX_TEMPFAIL of sysexits.h: a signal stopped the run, which can be resumed
INTERRUPTED = 130
# ``package.module.DataError: message``, the last line of a traceback
LAST_LINE = re.compile(r'^[\w.]+(?:Error|Exception|Warning)\b: ')


def friendly_main(function: Callable[P, T]) -> Callable[P, T]:
    """Print what a user can mend as one line, and exit with status 2.

    Concerns :class:`LtkitError`, ``FileNotFoundError`` and a full disk, also when
    a worker of a data loader raised them. A run that a signal stopped and that
    saved itself exits with 75, Ctrl-C with 130. All else keeps its traceback.
    ``LTKIT_DEBUG=1`` prints the traceback in each case.

    Args:
        function (Callable): The ``main`` of a tool.

    Returns:
        Callable: The function, wrapped.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Interrupted as error:
            _print_traceback()
            print(f'stopped: {one_line(error)}', file=sys.stderr, flush=True)
            raise SystemExit(STOPPED) from None
        except (LtkitError, FileNotFoundError) as error:
            _print_traceback()
            print(f'error: {one_line(error)}', file=sys.stderr, flush=True)
            raise SystemExit(USER_ERROR) from None
        except OSError as error:
            from .files import full_disk_error, is_full
            if not is_full(error):
                raise
            _print_traceback()
            print(f'error: {full_disk_error(error)}', file=sys.stderr, flush=True)
            raise SystemExit(USER_ERROR) from None
        except KeyboardInterrupt:
            _print_traceback()
            print('interrupted', file=sys.stderr, flush=True)
            raise SystemExit(INTERRUPTED) from None

    return wrapped


def one_line(error: BaseException) -> str:
    """The message of an error in one line; that of the worker if one raised it.

    torch raises the error of a data loader's worker again with the worker's
    traceback as its message, whose last line is the message proper.
    """
    text = str(error)
    if 'Traceback (most recent call last)' in text:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        starts = [i for i, line in enumerate(lines) if LAST_LINE.match(line)]
        text = ' '.join(lines[starts[-1] :] if starts else lines[-1:])
        text = LAST_LINE.sub('', text)
    return ' '.join(text.split()) or type(error).__name__


def _print_traceback() -> None:
    if os.environ.get('LTKIT_DEBUG', '0') not in ('', '0'):
        traceback.print_exc()
