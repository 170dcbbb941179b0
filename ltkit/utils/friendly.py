"""One-line errors for the command-line tools."""

from __future__ import annotations

import atexit
import functools
import os
import re
import sys
import threading
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
    ``LTKIT_DEBUG=1`` prints the traceback in each case. A process of a distributed
    run ends here, whatever its status.

    Args:
        function (Callable): The ``main`` of a tool.

    Returns:
        Callable: The function, wrapped.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            result = function(*args, **kwargs)
        except (Exception, KeyboardInterrupt) as error:
            status = _tell(error)
            _leave_processes(status)
            if status is None:
                raise
            raise SystemExit(status) from None
        _leave_processes(0)
        return result

    return wrapped


def _tell(error: BaseException) -> int | None:
    """Print an error that a user can mend as one line; the exit status, None for any other error."""
    if isinstance(error, Interrupted):
        status, line = STOPPED, f'stopped: {one_line(error)}'
    elif isinstance(error, (LtkitError, FileNotFoundError)):
        status, line = USER_ERROR, f'error: {one_line(error)}'
    elif isinstance(error, OSError) and (line_of_disk := _full_disk(error)):
        status, line = USER_ERROR, f'error: {line_of_disk}'
    elif isinstance(error, KeyboardInterrupt):
        status, line = INTERRUPTED, 'interrupted'
    else:
        return None
    if os.environ.get('LTKIT_DEBUG', '0') not in ('', '0'):
        traceback.print_exc()
    sys.stderr.write(f'{line}\n')  # in one piece: other processes write there, too
    sys.stderr.flush()
    return status


def _full_disk(error: OSError) -> str | None:
    """The message of a full disk, None for any other error."""
    from .files import full_disk_error, is_full  # imports torch
    return str(full_disk_error(error)) if is_full(error) else None


def _leave_processes(status: int | None) -> None:
    """Leave the process group of a distributed run and end this process with its status.

    What torch keeps of a group can abort the process while C++ takes itself down,
    also after the group was left, which turns the exit status into that of
    SIGABRT. So the process ends as soon as Python has tidied up. After an error
    the other processes may hang in a collective, so that the group cannot be left
    in an orderly way: then it ends at once.
    """
    torch_dist = sys.modules.get('torch.distributed')
    if torch_dist is None or not torch_dist.is_available() or not torch_dist.is_initialized():
        return
    if status in (0, STOPPED):  # all processes get here
        torch_dist.destroy_process_group()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        atexit._run_exitfuncs()
    elif status is None:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if status is None else status)


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
