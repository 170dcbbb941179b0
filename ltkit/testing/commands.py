"""Run a command-line tool of Python in a fork of a process that has torch loaded already, for tests."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

# What takes the time to import. The tools, engine, models and data sets of ltkit are not among it.
_LOADED = ['torch', 'torchvision.transforms.v2', 'mmengine.runner', 'sklearn.datasets', 'matplotlib.figure', __name__]


def run_command(script: str | os.PathLike, *arguments: object, cwd: str | os.PathLike = '.',
                env: Mapping[str, str] | None = None, timeout: float = 300.0, merged: bool = False,
                meanwhile: Callable[[BaseProcess], object] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``python SCRIPT ARGUMENTS`` as a user does, without the seconds that importing torch takes.

    The process is forked from a server, started by the first call, which has
    imported torch, mmengine and the like. Status, output, folder, environment and
    arguments are those of a process of its own; it uses one thread. For POSIX
    systems.

    Args:
        script: The file.
        *arguments: Its arguments, each made a string.
        cwd: The folder to run in. Defaults to the current one.
        env (Mapping, optional): The environment in place of this process's.
        timeout (float): Seconds after which the process is ended. Defaults to
            300.
        merged (bool): Whether ``stdout`` gets what is written to ``stderr`` as
            well, in its order. Defaults to False.
        meanwhile (Callable, optional): Called with the process while it runs, for
            tests that send it signals.

    Returns:
        subprocess.CompletedProcess: ``args``, ``returncode`` (minus the number of
        the signal that ended it, if one did), ``stdout`` and ``stderr``.

    Raises:
        subprocess.TimeoutExpired: It took longer than ``timeout``.
    """
    command = [str(script), *map(str, arguments)]
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(_LOADED)
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, 'out'), Path(folder, 'out' if merged else 'err')
        process = context.Process(target=_run, args=(command, str(cwd), dict(os.environ if env is None else env),
                                                     str(out), str(err)))
        process.start()
        if meanwhile is not None:
            meanwhile(process)
        process.join(timeout)
        if late := process.exitcode is None:
            process.kill()
            process.join()
        printed = [path.read_text() if path.exists() else '' for path in (out, err)]
        if merged:
            printed[1] = ''
        if late:
            raise subprocess.TimeoutExpired(command, timeout, *printed)
    return subprocess.CompletedProcess(command, process.exitcode, *printed)


def _run(command: list[str], cwd: str, env: dict[str, str], out: str, err: str) -> None:
    for path, number in ((out, 1), (err, 2)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    multiprocessing.set_start_method('fork', force=True)  # Python's default for the workers of a loader
    import torch
    torch.set_num_threads(1)
    sys.argv = command
    paths = [path for path in env.get('PYTHONPATH', '').split(os.pathsep) if path]
    sys.path[:0] = [os.path.dirname(os.path.abspath(command[0])), *paths]
    runpy.run_path(command[0], run_name='__main__')
