"""Start the runs of a benchmark as processes, so many at once, and see them to their end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltkit.utils.checkpoint import latest_checkpoint

from .runs import Run
from .workplace import RunFolder

POLL_SECONDS = 0.1
BUSY_SECONDS = 1.0
GRACE_SECONDS = 30.0
THREADS = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


@dataclass
class Outcome:
    """How a run ended: ``finished``, ``skipped`` (had finished before) or ``failed``."""

    run: Run
    status: str
    seconds: float = 0.0
    error: str | None = None


@dataclass
class _Job:
    run: Run
    folder: RunFolder
    slot: dict[str, str]
    descriptor: int
    process: subprocess.Popen
    began: float = field(default_factory=time.monotonic)


def slots(jobs: int | None = None) -> list[dict[str, str]]:
    """The environment of each run that can go on at once.

    With GPUs a slot is one of them (with more jobs than GPUs they share);
    ``CUDA_VISIBLE_DEVICES`` is respected. Without, the cores are divided.

    Args:
        jobs (int, optional): Runs at once. Defaults to the GPUs, or the cores.
    """
    gpus = _gpus()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    jobs = jobs or len(gpus) or cores
    threads = {name: str(max(1, cores // jobs)) for name in THREADS}
    return [
        {**threads, **({'CUDA_VISIBLE_DEVICES': gpus[i % len(gpus)]} if gpus else {})} for i in range(jobs)
    ]


class Scheduler:
    """Runs processes until none is left; see :meth:`run`.

    A run that another process trains already is left to it, and looked at again
    until it has ended. A second stage begins when the run that it begins from has
    finished, and fails with it. All children are ended when this process is interrupted,
    and by the kernel when it is killed (on Linux).

    Args:
        command (Sequence[str]): What trains, to which :meth:`Run.arguments` are added.
        folder_of (Callable): The folder of a run.
        slots (Sequence[dict]): Of :func:`slots`.
        timeout (float, optional): Seconds that one run may take.
        on_event (Callable, optional): Told ``(event, run, outcome)``: ``'start'``,
            ``'resume'``, ``'busy'`` (outcome None) and ``'end'``.
        on_tick (Callable, optional): Called at each look at the processes, with the
            seconds that each run going on has taken.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder_of: Callable[[Run], Path],
        slots: Sequence[dict[str, str]],
        timeout: float | None = None,
        on_event: Callable[[str, Run, Outcome | None], None] | None = None,
        on_tick: Callable[[dict[str, float]], None] | None = None,
    ) -> None:
        self.command = list(command)
        self.folder_of = folder_of
        self.timeout = timeout
        self.on_event = on_event or (lambda *_: None)
        self.on_tick = on_tick or (lambda _: None)
        self._free = list(slots)
        self._jobs: list[_Job] = []

    def run(self, runs: Iterable[Run]) -> list[Outcome]:
        """See all runs to their end; one that fails does not stop the others."""
        waiting: deque[tuple[Run, float]] = deque((run, 0.0) for run in runs)
        to_end = {run.identity for run, _ in waiting}
        outcomes: list[Outcome] = []

        def end(outcome: Outcome) -> None:
            outcomes.append(outcome)
            to_end.discard(outcome.run.identity)
            self.on_event('end', outcome.run, outcome)

        try:
            while waiting or self._jobs:
                for _ in range(len(waiting)):
                    if not self._free:
                        break
                    run, not_before = waiting.popleft()
                    if run.source is not None and run.source.identity in to_end:
                        waiting.append((run, not_before))
                        continue
                    outcome = None if time.monotonic() < not_before else self._start(run)
                    if outcome is not None:
                        end(outcome)
                    elif not any(job.run is run for job in self._jobs):
                        waiting.append(
                            (
                                run,
                                not_before
                                if time.monotonic() < not_before
                                else time.monotonic() + BUSY_SECONDS,
                            )
                        )
                for outcome in self._ended():
                    end(outcome)
                self.on_tick({job.run.identity: time.monotonic() - job.began for job in self._jobs})
                if waiting or self._jobs:
                    time.sleep(POLL_SECONDS)
        finally:
            self.stop()
        return outcomes

    def stop(self) -> None:
        """End all processes: SIGTERM, which lets them save, then SIGKILL."""
        for job in self._jobs:
            _signal(job.process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self._jobs:
            job = self._jobs.pop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                job.process.wait(max(0.0, deadline - time.monotonic()))
            _signal(job.process, signal.SIGKILL)
            job.process.wait()
            job.folder.note(status='interrupted', ended=time.time())
            self._release(job)

    def _start(self, run: Run) -> Outcome | None:
        """Start a run; its outcome if there is nothing to do, None if it was started or is busy."""
        folder = RunFolder(self.folder_of(run))
        descriptor = folder.lock()
        if descriptor is None:
            self.on_event('busy', run, None)
            return None
        if folder.finished:
            os.close(descriptor)
            return Outcome(run, 'skipped')
        checkpoint = None
        if run.source is not None:
            first = RunFolder(self.folder_of(run.source))
            checkpoint = latest_checkpoint(first.path) if first.finished else None
            if checkpoint is None:
                os.close(descriptor)
                why = 'left no checkpoint' if first.finished else 'has not finished'
                why = f'{run.source.label}, from which it begins, {why}'
                folder.note(status='failed', error=why)
                return Outcome(run, 'failed', error=why)
        resume = folder.has_checkpoint
        command = [*self.command, *run.arguments(str(folder.path), resume, checkpoint)]
        slot = self._free.pop(0)
        try:
            with open(folder.log, 'ab') as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **slot},
                    start_new_session=True,
                    pass_fds=(descriptor,),
                    preexec_fn=_end_with_parent,
                )
        except OSError as error:
            os.close(descriptor)
            self._free.append(slot)
            why = f'cannot start {command[0]}: {error.strerror}'
            folder.note(status='failed', error=why)
            return Outcome(run, 'failed', error=why)
        self._jobs.append(_Job(run, folder, slot, descriptor, process))
        folder.begin(descriptor, process.pid)
        self.on_event('resume' if resume else 'start', run, None)
        return None

    def _ended(self) -> list[Outcome]:
        outcomes = []
        for job in list(self._jobs):
            seconds = time.monotonic() - job.began
            error = None
            if self.timeout is not None and seconds > self.timeout and job.process.poll() is None:
                _signal(job.process, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    job.process.wait(GRACE_SECONDS)
                error = f'stopped after {self.timeout:g} s (--timeout); the next call resumes it'
            if job.process.poll() is None and error is None:
                continue
            _signal(job.process, signal.SIGKILL)  # what it may have left behind
            status = job.process.wait()
            self._jobs.remove(job)
            if status == 0 and job.folder.finished:
                outcome = Outcome(job.run, 'finished', seconds)
            else:
                outcome = Outcome(job.run, 'failed', seconds, error or _why(status, job.folder))
            job.folder.note(status=outcome.status, ended=time.time(), returncode=status, error=outcome.error)
            self._release(job)
            outcomes.append(outcome)
        return outcomes

    def _release(self, job: _Job) -> None:
        os.close(job.descriptor)
        self._free.append(job.slot)


def _why(status: int, folder: RunFolder) -> str:
    if status == 0:
        return f'it ended without results.json; last line: {folder.last_line()}'
    how = f'killed by {signal.Signals(-status).name}' if status < 0 else f'exit status {status}'
    return f'{how}; last line: {folder.last_line()}'


def _gpus() -> list[str]:
    """Names of the GPUs as ``CUDA_VISIBLE_DEVICES`` has them."""
    import torch

    count = torch.cuda.device_count()
    given = [name.strip() for name in os.environ.get('CUDA_VISIBLE_DEVICES', '').split(',') if name.strip()]
    return given[:count] if given else [str(i) for i in range(count)]


def _signal(process: subprocess.Popen, number: int) -> None:
    """Signal a process and those that it started (it leads a group of its own)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


_LIBC: Any = ctypes.CDLL(None) if sys.platform == 'linux' else None
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """In the child: let the kernel send SIGTERM when the scheduler dies."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
