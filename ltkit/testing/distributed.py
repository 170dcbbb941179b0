"""Run a function in several processes of one gloo group, for tests."""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import os
import pickle
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import reduce
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.distributed as dist

# The first backward pass decides whether autograd has device threads, after which no fork can compute
# gradients. Fake tensors, which torch.compile uses, show it a GPU that is not there; so it is made before.
if not torch.cuda.is_available():
    torch.zeros((), requires_grad=True).backward()


class RemoteTraceback(Exception):
    """The traceback of an error in another process: the cause of what is raised here."""


def run_distributed(function: Callable[..., Any], world_size: int = 2, *args: Any,
                    timeout: float = 60.0) -> list[Any]:
    """Call ``function(rank, world_size, *args)`` in each process of a gloo group.

    The processes run on the CPU with one thread each and meet through a file, so
    no port is needed and groups may run side by side. They are forked, which
    takes about a tenth of a second, or come from a fork server where there is
    a GPU, since neither CUDA nor autograd's device threads survive a fork. None
    of them, nor the loader workers they started, outlives the call. For POSIX
    systems.

    Args:
        function (Callable): Defined at the top level of a module.
        world_size (int): Number of processes, > 0. Defaults to 2.
        *args: Further arguments, picklable.
        timeout (float): Seconds after which the processes are ended. Defaults to
            60.

    Returns:
        list: What each process returned (picklable), by rank.

    Raises:
        Exception: The error of the process that failed first, with its traceback
            as the cause. A RuntimeError in its place when it cannot be pickled.
        TimeoutError: The processes took longer than ``timeout``.
        RuntimeError: A process ended without a result, for example killed.

    Example:
        >>> def sum_of_ranks(rank, world_size):
        ...     total = torch.tensor(rank)
        ...     dist.all_reduce(total)
        ...     return int(total)
        >>> run_distributed(sum_of_ranks, 3)
        [3, 3, 3]
    """
    if world_size < 1:
        raise ValueError(f'world_size must be >= 1, but is {world_size}')
    forks = not torch.cuda.is_available()
    context = multiprocessing.get_context('fork' if forks else 'forkserver')
    if not forks:
        context.set_forkserver_preload(['torch', 'ltkit.testing.distributed'])
    target = function if forks else _address_of(function)
    with tempfile.TemporaryDirectory(prefix='ltkit_') as name:
        folder = Path(name)
        processes = [context.Process(target=_work, args=(target, rank, world_size, args, folder, timeout))
                     for rank in range(world_size)]
        try:
            for process in processes:
                process.start()
            ended = _wait(processes, folder, timeout)
        finally:
            _end(processes)
        for rank in ended:
            if not any(_file(folder, kind, rank).is_file() for kind in ('result', 'error')):
                raise RuntimeError(f'process {rank} of {world_size} ended without a result (exit code '
                                   f'{processes[rank].exitcode}; -9 is killed)')
        _raise_first_error(folder)
        if len(ended) < world_size:
            name = getattr(function, '__qualname__', repr(function))
            raise TimeoutError(f'{world_size} processes of {name} took longer than {timeout:g} s')
        return [pickle.loads(_file(folder, 'result', rank).read_bytes()) for rank in range(world_size)]


def _work(target: Any, rank: int, world_size: int, args: tuple[Any, ...], folder: Path,
          timeout: float) -> None:
    """What one process does; leaves its result or its error in a file."""
    os.setpgid(0, 0)  # with loader workers it makes a group that can be ended as a whole
    try:
        torch.set_num_threads(1)
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world_size),
                          LOCAL_WORLD_SIZE=str(world_size))
        loopback = [name for _, name in socket.if_nameindex() if name.startswith('lo')]
        if loopback:
            os.environ.setdefault('GLOO_SOCKET_IFNAME', loopback[0])
        store = dist.FileStore(str(folder / 'store'), world_size)
        dist.init_process_group('gloo', store=store, rank=rank, world_size=world_size,
                                timeout=timedelta(seconds=timeout))
        function = target if callable(target) else _function_at(*target)
        result = pickle.dumps(function(rank, world_size, *args))
        dist.barrier()  # nobody leaves while another still talks to it
        dist.destroy_process_group()
        _write(_file(folder, 'result', rank), result)
    except BaseException as error:  # SystemExit of a script's main() is to be seen as well
        _write(_file(folder, 'error', rank), _pickled_error(error, rank, world_size))
        os.killpg(0, signal.SIGKILL)  # loader workers would keep this process from being seen to have ended


def _wait(processes: list[BaseProcess], folder: Path, timeout: float) -> list[int]:
    """Wait for all, for the first without a result, or till the time is over; the ranks that ended."""
    end = time.monotonic() + timeout
    running = {process.sentinel: rank for rank, process in enumerate(processes)}
    ended: list[int] = []
    while running:
        now = [running.pop(sentinel) for sentinel in wait(list(running), max(end - time.monotonic(), 0))]
        ended += now
        if not now or not all(_file(folder, 'result', rank).is_file() for rank in now):
            break
    return ended


def _end(processes: list[BaseProcess]) -> None:
    """End what still runs, loader workers included. Nothing is reaped before, so each id is still ours."""
    for process in processes:
        if process.pid is not None:
            for kill in (os.killpg, os.kill):
                with suppress(ProcessLookupError, PermissionError):
                    kill(process.pid, signal.SIGKILL)
            process.join()


def _raise_first_error(folder: Path) -> None:
    errors = [pickle.loads(path.read_bytes()) for path in folder.glob('error_*')]
    if errors:
        _, pickled, text = min(errors, key=lambda error: error[0])
        raise pickle.loads(pickled) from RemoteTraceback(text)


def _pickled_error(error: BaseException, rank: int, world_size: int) -> bytes:
    text = f'in process {rank} of {world_size}:\n{traceback.format_exc()}'
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)
    except Exception:
        pickled = pickle.dumps(RuntimeError(f'{type(error).__name__}: {error}'))
    return pickle.dumps((time.monotonic(), pickled, text))


def _file(folder: Path, kind: str, rank: int) -> Path:
    return folder / f'{kind}_{rank}'


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all."""
    part = path.parent / f'part_of_{path.name}'
    part.write_bytes(content)
    part.replace(path)


def _address_of(function: Callable[..., Any]) -> tuple[str, str, str | None]:
    """Where a new process finds a function: module, name in it, file of the module."""
    module = sys.modules[function.__module__]
    return module.__name__, function.__qualname__, getattr(module, '__file__', None)


def _function_at(module_name: str, name: str, file: str | None) -> Callable[..., Any]:
    return reduce(getattr, name.split('.'), _module_at(module_name, file))  # type: ignore[return-value]


def _module_at(name: str, file: str | None) -> ModuleType:
    """Import a module, from its file where it is not on the path (as test modules are not)."""
    try:
        module = importlib.import_module(name)
        if file is None or getattr(module, '__file__', None) == file:
            return module
    except ImportError:
        if file is None:
            raise
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.modules[name] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module
