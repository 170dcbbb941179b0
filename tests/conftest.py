"""Fixtures that all tests share."""

from __future__ import annotations

import importlib
import itertools
import multiprocessing
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session', autouse=True)
def _one_thread() -> None:
    """Small tensors: threads only cost, and tests may run side by side."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """The same draws whatever ran before, so that what fails once fails again."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - what libraries draw from
    torch.manual_seed(0)


@pytest.fixture(scope='session')
def repo_root() -> Path:
    """The root of the repository."""
    return REPO


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """The folder of real data beside the repository; skips where there is none."""
    root = REPO.parent / 'shared' / 'data'
    if not root.is_dir():
        pytest.skip('the folder of shared data is not here')
    return root


@pytest.fixture(scope='session')
def cifar100_root() -> Path:
    """A folder that holds ``cifar-100-python``; skips where CIFAR-100 is absent."""
    given = os.environ.get('LTKIT_CIFAR100')
    for root in ([Path(given)] if given else []) + [REPO / 'data', REPO.parent / 'shared' / 'data']:
        if (root / 'cifar-100-python' / 'train').is_file():
            return root
    pytest.skip('CIFAR-100 is not here (set LTKIT_CIFAR100 to the folder that holds cifar-100-python)')


_NUMBERS = itertools.count()


class SmallRun:
    """Makes a config of few epochs on the digits, and runs it here, in a fork or as a command."""

    DIGITS = 'ltkit::erm/r8_digits_lt.py'

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def config(self, text: str = '', base: str = DIGITS, name: str = 'small.py') -> Path:
        """Write a config that inherits from ``base``."""
        path = self.folder / name
        part = self.folder / f'{name}.{os.getpid()}'  # several processes may write it
        part.write_text(f'_base_ = {base!r}\n{text}\n', encoding='utf-8')
        return part.replace(path)

    def load(self, config: str | Path = '', work_dir: str = 'run', **options: Any) -> Any:
        """Load a config (a file, or the text of one); ``options`` are dotted keys with ``__`` for the dot."""
        from ltkit.config import load_config
        path = config if isinstance(config, Path) else self.config(config)
        cfg = load_config(path, {key.replace('__', '.'): value for key, value in options.items()})
        cfg.work_dir = str(self.folder / work_dir)
        cfg.experiment_name = f'{work_dir}_{next(_NUMBERS)}'  # mmengine would share the logs of a second
        return cfg

    def runner(self, *args: Any, **kwargs: Any) -> Any:
        """Build the Runner of a config; arguments as of :meth:`load`."""
        from ltkit.engine import Runner
        return Runner.from_cfg(self.load(*args, **kwargs))

    def fork(self, *args: Any, **kwargs: Any) -> int:
        """Train in a process of its own (arguments as of :meth:`load`); its exit status."""
        self.load(*args, **kwargs)  # here, so that a fork does not import it all again
        importlib.import_module('sklearn.datasets')
        process = multiprocessing.get_context('fork').Process(target=self._train, args=args, kwargs=kwargs)
        process.start()
        process.join(120)
        return process.exitcode

    def _train(self, *args: Any, **kwargs: Any) -> None:
        from ltkit.apis import train
        train(self.load(*args, **kwargs))

    def tool(self, tool: str, *args: Any, check: int | None = 0, **env: str) -> subprocess.CompletedProcess:
        """Run ``tools/<tool>`` as a user does; ``check`` is the status expected."""
        path = REPO / 'tools' / tool
        env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, 'PYTHONPATH': str(REPO), **env}
        if tool.endswith('.py'):
            from ltkit.testing import run_command
            done = run_command(path, *args, cwd=self.folder, env=env)
        else:
            done = subprocess.run(['bash', str(path), *map(str, args)], capture_output=True, text=True,
                                  cwd=self.folder, timeout=300, env=env)
        if check is not None:
            assert done.returncode == check, done.stdout[-3000:] + done.stderr[-3000:]
        return done


@pytest.fixture
def small_run(tmp_path) -> SmallRun:
    """See :class:`SmallRun`."""
    return SmallRun(tmp_path)
