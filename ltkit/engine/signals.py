"""Signals by which a cluster asks a run to stop."""

from __future__ import annotations

import functools
import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from mmengine.dist import is_distributed
from torch.utils.data import DataLoader

from ltkit.utils.errors import Interrupted

STOPPING = (signal.SIGTERM, signal.SIGUSR1)


class StopSignals:
    """Take note of SIGTERM and SIGUSR1 instead of dying of them, within ``with``.

    On leaving, the handlers are those of before; only where the run was stopped by
    :class:`~ltkit.utils.errors.Interrupted` and is one of several processes, the
    signals are ignored from then on: torchrun sends SIGTERM to all others as soon as
    the first has ended, and each is to end with its own status. Outside the main thread, where
    Python allows no handlers, nothing changes. A child that was forked meanwhile
    dies of these signals as usual. One within another, for a part of what that does:
    both take note of all signals.

    Attributes:
        received (str | None): Name of the first signal that came.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._before: dict[int, Any] = {}
        self._outer: StopSignals | None = None
        self._owner = os.getpid()

    def __enter__(self) -> StopSignals:
        self._owner = os.getpid()
        self.received = None
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in STOPPING}
            owners = [getattr(handler, '__self__', None) for handler in self._before.values()]
            self._outer = next((owner for owner in owners if isinstance(owner, StopSignals)), None)
            if self._outer is not None:
                self.received = self.received or self._outer.received
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        stopped = kind is not None and issubclass(kind, Interrupted) and is_distributed()
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if stopped else signal.SIG_DFL if handler is None else handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.received = self.received or signal.Signals(number).name
        if self._outer is not None:
            self._outer._note(number, frame)


def careful_workers(loader: DataLoader) -> DataLoader:
    """Let the workers of a data loader go on after a signal to all processes of a job.

    Otherwise they would die at once, and training with them before it is saved.
    A worker obeys SIGTERM of the process that started it alone, and ends with it.
    Where the system does not tell who sent a signal (macOS), nothing changes.
    """
    if getattr(loader, 'num_workers', 0) > 0 and hasattr(signal, 'sigwaitinfo'):
        loader.worker_init_fn = functools.partial(_init_worker, loader.worker_init_fn)
    return loader


def _init_worker(own: Any, worker_id: int) -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_obey_parent, args=(os.getppid(),), daemon=True).start()
    if own is not None:
        own(worker_id)


def _obey_parent(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
