"""A benchmark of small configs, trained by a stand-in."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

HERE = Path(__file__).parent
REPO = HERE.parents[2]
FAKE_TRAIN = [sys.executable, str(HERE / 'fake_train.py')]
REAL_TRAIN = [sys.executable, str(REPO / 'tools' / 'train.py')]


class FakeBenchmark:
    """A folder with a benchmark config and the log of what was trained for it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.log = folder / 'log.txt'
        self.work_dir = folder / 'work'
        self.train = FAKE_TRAIN
        self.log.touch()
        torch.save({'state_dict': {}, 'meta': {}}, folder / 'empty.pth')
        self.env = dict(FAKE_LOG=str(self.log), FAKE_CHECKPOINT=str(folder / 'empty.pth'), CUDA_VISIBLE_DEVICES='')
        for key, value in self.env.items():
            monkeypatch.setenv(key, value)

    def config(self, text: str, methods: tuple[str, ...] = ('erm', 'ours')) -> Path:
        """Write the training configs ``<method>.py`` and a benchmark of them."""
        for i, name in enumerate(methods):
            (self.folder / f'{name}.py').write_text(
                f"_base_ = 'ltkit::erm/r8_digits_lt.py'\ntrain_cfg = dict(max_epochs={i + 1})\n")
        path = self.folder / 'bench.py'
        path.write_text(f'methods = {({name: f"{name}.py" for name in methods})!r}\n{text}\n')
        return path

    def main(self, *arguments: Any) -> int:
        """The command, in this process."""
        from ltkit.apis.benchmark import main
        return main(self.train, [str(self.folder / 'bench.py'), '--work-dir', str(self.work_dir), *map(str, arguments)])

    def start(self, *arguments: Any, **env: str) -> subprocess.Popen:
        """The command, in a process of its own."""
        code = ('import sys\nfrom ltkit.apis.benchmark import main\nfrom ltkit.utils.friendly import friendly_main\n'
                f'sys.exit(friendly_main(main)({self.train!r}, sys.argv[1:]))')
        return subprocess.Popen(
            [sys.executable, '-c', code, str(self.folder / 'bench.py'), '--work-dir', str(self.work_dir),
             *map(str, arguments)], env={**os.environ, 'PYTHONPATH': str(REPO), **env},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def events(self) -> list[tuple[str, int, str]]:
        """``(what, process, run)`` of each start, resume and end."""
        lines = (line.split(' ', 2) for line in self.log.read_text().splitlines())
        return [(what, int(pid), run) for what, pid, run in lines]

    def count(self, what: str) -> Counter:
        """How often each run did that."""
        return Counter(run for event, _, run in self.events() if event == what)


@pytest.fixture
def fake(tmp_path, monkeypatch) -> FakeBenchmark:
    """See :class:`FakeBenchmark`."""
    return FakeBenchmark(tmp_path, monkeypatch)


@pytest.fixture
def real(fake, monkeypatch) -> FakeBenchmark:
    """The same with real training of two epochs, and a checkpoint after each."""
    monkeypatch.setenv('PYTHONPATH', str(REPO))
    fake.train = REAL_TRAIN
    fake.config("""cfg_options = {
        'default_hooks.checkpoint.interval': 1, 'train_cfg.max_epochs': 2,
        'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')]}""")
    return fake


@pytest.fixture
def data() -> Any:
    """The module ``benchmark_data``."""
    spec = importlib.util.spec_from_file_location('benchmark_data', HERE / 'benchmark_data.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
