#!/usr/bin/env python
"""torchrun with the exit status of the run; called by torchrun.sh, takes torchrun's arguments.

torchrun itself ends with 1 whatever happened. This ends with the status of the
process whose failure was the cause (2: an error told in one line), with 75 when SIGTERM or
SIGUSR1 stopped the run, which has saved itself, and with 128 + N when signal N
killed a process or torchrun.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main as torchrun

from ltkit.utils.friendly import STOPPED, USER_ERROR


def as_sigterm(number: int, frame: FrameType | None) -> None:
    """Hand SIGUSR1, which torchrun does not forward, on as SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


def cause(error: ChildFailedError) -> tuple[int, int]:
    """Rank and status of the process that made the others fail.

    They lose their connection to it within the time that torchrun takes to look,
    and fail with 1. So a signal comes before an error told in one line, and that
    before any other status.
    """
    def order(rank: int) -> tuple:
        failure = error.failures[rank]
        killed = failure.exitcode < 0 and failure.exitcode not in (-signal.SIGTERM, -signal.SIGABRT)
        return not killed, failure.exitcode != USER_ERROR, failure.timestamp, rank
    first = min(error.failures, key=order)
    return first, error.failures[first].exitcode


def main() -> int:
    """Run torchrun; its exit status."""
    signal.signal(signal.SIGUSR1, as_sigterm)
    try:
        torchrun(sys.argv[1:])
    except ChildFailedError as error:
        rank, status = cause(error)
        if status < 0:
            print(f'error: process {rank} was killed by {signal.Signals(-status).name}', file=sys.stderr)
        return 128 - status if status < 0 else status
    except SignalException as error:
        name = signal.Signals(error.sigval).name
        print(f'torchrun was stopped by {name}', file=sys.stderr)
        return STOPPED if error.sigval == signal.SIGTERM else 128 + int(error.sigval)
    return 0


if __name__ == '__main__':
    sys.exit(main())
