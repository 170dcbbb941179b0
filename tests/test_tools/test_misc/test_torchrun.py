"""Which process torchrun's status speaks of."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

PATH = Path(__file__).resolve().parents[3] / 'tools/misc/torchrun.py'


@pytest.mark.parametrize('statuses, expected', [
    ({0: 1, 1: -9}, (1, -9)),  # process 0 lost its connection to the one that was killed
    ({0: 1, 1: 2}, (1, 2)), ({0: 2, 1: -11}, (1, -11)), ({0: -15, 1: 2}, (1, 2)), ({1: 1, 0: 1}, (1, 1)),
    ({0: 75, 1: 75}, (0, 75)), ({0: -6, 1: 2}, (1, 2))])
def test_the_cause_comes_before_what_follows(statuses, expected):
    spec = importlib.util.spec_from_file_location('tool_torchrun', PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    failures = {rank: SimpleNamespace(exitcode=status, timestamp=time) for time, (rank, status)
                in enumerate(statuses.items())}
    assert module.cause(SimpleNamespace(failures=failures)) == expected
