"""The folder of one run: its lock, its state, and whether it has finished."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltkit.utils.checkpoint import latest_checkpoint
from ltkit.utils.files import whole_file

LOG, RESULTS, STATE, LOCK = 'train.log', 'results.json', 'state.json', 'lock'
TAIL_BYTES = 16384


class RunFolder:
    """The folder of a run.

    ``lock`` is locked by the kernel (``flock``) as long as a process trains in
    the folder: the scheduler hands the locked file to the process it starts, so
    that the lock outlives a scheduler that is killed, and never the run itself.
    It also holds the number of that process. ``results.json``, which the run
    writes whole at its end, says that it has finished.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)

    @property
    def log(self) -> Path:
        """All output of the run; a resumed run adds to it."""
        return self.path / LOG

    def results(self) -> dict[str, Any] | None:
        """What the run left when it finished; None before."""
        return read_json(self.path / RESULTS, needed='metrics')

    @property
    def finished(self) -> bool:
        """Whether the run has its results."""
        return self.results() is not None

    def state(self) -> dict[str, Any]:
        """What schedulers noted: status, attempts, times, error."""
        return read_json(self.path / STATE) or {}

    def note(self, **changes: Any) -> None:
        """Change the state; the file is there whole or not at all."""
        write_json(self.path / STATE, {**self.state(), **changes})

    def lock(self) -> int | None:
        """Lock the folder: the file descriptor, or None when another process has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor

    @property
    def busy(self) -> bool:
        """Whether a process has the folder locked."""
        try:
            descriptor = os.open(self.path / LOCK, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def owner(self) -> int | None:
        """The process that trains here, or trained here last."""
        try:
            return int((self.path / LOCK).read_text())
        except (OSError, ValueError):
            return None

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint that can be read."""
        return self.path.is_dir() and latest_checkpoint(self.path) is not None

    def begin(self, descriptor: int, pid: int) -> None:
        """Note the process that has been started."""
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(pid).encode(), 0)
        self.note(
            status='running',
            pid=pid,
            started=time.time(),
            ended=None,
            error=None,
            attempts=self.state().get('attempts', 0) + 1,
        )

    def last_line(self) -> str:
        """The last line of the log that says something."""
        try:
            with open(self.log, 'rb') as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
                lines = file.read().decode('utf-8', 'replace').splitlines()
        except OSError:
            return 'it left no log'
        lines = [' '.join(line.split()) for line in lines if line.strip()]
        return lines[-1] if lines else 'its log is empty'


def read_json(path: Path, needed: str | None = None) -> dict[str, Any] | None:
    """A JSON object, or None when there is none (or one without the key ``needed``)."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or (needed is not None and not content.get(needed)):
        return None
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file so that it is there whole or not at all."""
    with whole_file(path) as part, open(part, 'w', encoding='utf-8') as file:
        json.dump(content, file, indent=1)
        file.write('\n')
