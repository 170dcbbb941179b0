from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from ltkit.datasets.download import git_blob_hash
from ltkit.datasets.split_lists import SplitList


@pytest.fixture
def tool(repo_root: Path, tmp_path: Path) -> SimpleNamespace:
    """The script, with one small list behind a file URL."""
    module = runpy.run_path(str(repo_root / 'tools' / 'dataset_converters' / 'get_splits.py'))
    source = tmp_path / 'source.txt'
    source.write_text('a.jpg 0\n')
    module['LISTS'].clear()
    module['LISTS']['small'] = SplitList(
        'Small.txt', git_blob_hash(b'a.jpg 0\n'), 1, 'small', source.as_uri()
    )
    return SimpleNamespace(main=module['main'], source=source, out=tmp_path / 'data')


def test_fetches_once(tool: SimpleNamespace, capsys: pytest.CaptureFixture) -> None:
    assert tool.main(['small', '--out', str(tool.out)]) == 0
    assert 'fetched, 1 lines, verified' in capsys.readouterr().out
    assert (tool.out / 'Small.txt').read_text() == 'a.jpg 0\n'
    assert tool.main(['all', '--out', str(tool.out)]) == 0
    assert 'already there' in capsys.readouterr().out


def test_one_line_when_it_cannot_be_had(tool: SimpleNamespace, capsys: pytest.CaptureFixture) -> None:
    tool.source.write_text('changed\n')
    assert tool.main(['small', '--out', str(tool.out)]) == 2
    tool.source.unlink()
    assert tool.main(['small', '--out', str(tool.out)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(
        git_blob_hash(b'a.jpg 0\n') in line and str(tool.out) in line for line in lines
    )
    assert list(tool.out.iterdir()) == []


def test_unknown_name(tool: SimpleNamespace) -> None:
    with pytest.raises(SystemExit) as caught:
        tool.main(['imagenet'])
    assert caught.value.code == 2
