"""What made a figure: the command, the machine, the versions and the commit."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import subprocess
import sys

import torch

from ltkit.version import __version__


def provenance() -> dict[str, str | None]:
    """What is needed to make the results of this process again.

    Returns:
        dict: ``command`` (paths below the current folder are relative),
        ``device`` (the GPU, or the processor and the threads of torch), ``ltkit``,
        ``torch``, ``python`` (versions), and ``commit``: that of ltkit's own
        source, with ``-dirty`` when it was changed, None outside its repository.
    """
    return dict(command=_command(), device=_device(), ltkit=__version__, torch=torch.__version__,
                python=platform.python_version(), commit=_commit())


def _command() -> str:
    """The command line of this process, with paths below the current folder made relative."""
    here = os.path.join(os.getcwd(), '')
    return shlex.join(['python', *(argument.removeprefix(here) for argument in sys.argv)])


def _device() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} thread{'s' * (threads > 1)}"


def _processor() -> str:
    with contextlib.suppress(OSError), open('/proc/cpuinfo', encoding='utf-8') as file:
        for line in file:
            if line.startswith('model name'):
                return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    folder, name = os.path.split(os.path.abspath(__file__))
    if _git(folder, 'ls-files', '--error-unmatch', name) is None:
        return None  # installed, perhaps below a repository of something else
    return _git(folder, 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*')


def _git(folder: str, *args: str) -> str | None:
    try:
        done = subprocess.run(['git', '-C', folder, *args], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
