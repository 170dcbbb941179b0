from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from urllib.error import URLError

import pytest

from ltkit.datasets.download import download_archive, fetch, file_md5, git_blob_hash
from ltkit.utils.errors import DataError


def test_hashes(tmp_path: Path) -> None:
    assert git_blob_hash(b'') == 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    assert git_blob_hash(b'hello\n') == 'ce013625030ba8dba906f756967f9e9ca394464a'
    (tmp_path / 'x').write_bytes(b'abc')
    assert file_md5(tmp_path / 'x') == hashlib.md5(b'abc').hexdigest()


def test_fetch(tmp_path: Path) -> None:
    source, target = tmp_path / 'source', tmp_path / 'new' / 'target'
    source.write_bytes(b'content')
    fetch(source.as_uri(), target, lambda path: '' if Path(path).read_bytes() == b'content' else 'wrong')
    assert target.read_bytes() == b'content'
    assert [path.name for path in target.parent.iterdir()] == ['target']


def test_a_wrong_or_broken_download_leaves_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / 'source', tmp_path / 'new' / 'target'
    source.write_bytes(b'content')
    with pytest.raises(DataError, match='another file than expected: too short'):
        fetch(source.as_uri(), target, lambda path: 'too short')

    def offline(url: str) -> io.BytesIO:
        raise URLError('no route')

    with pytest.raises(DataError, match=r'cannot fetch http://x/y: .*no route'):
        fetch('http://x/y', target, lambda path: '', offline)
    assert list(target.parent.iterdir()) == []


def test_archive(tmp_path: Path) -> None:
    (tmp_path / 'inner').mkdir()
    (tmp_path / 'inner' / 'file').write_text('text')
    archive = tmp_path / 'some.tar.gz'
    with tarfile.open(archive, 'w:gz') as file:
        file.add(tmp_path / 'inner', 'inner')
    out = tmp_path / 'out'
    with pytest.raises(DataError, match='md5'):
        download_archive(archive.as_uri(), out, '0' * 32)
    download_archive(archive.as_uri(), out, file_md5(archive))
    assert (out / 'inner' / 'file').read_text() == 'text'


@pytest.mark.parametrize('name', ['../outside', '/outside', 'link'])
def test_archive_writes_nothing_outside(tmp_path: Path, name: str) -> None:
    archive = tmp_path / 'bad.tar.gz'
    with tarfile.open(archive, 'w:gz') as file:
        member = tarfile.TarInfo(name)
        if name == 'link':
            member.type, member.linkname = tarfile.SYMTYPE, '..'
        file.addfile(member)
    with pytest.raises(DataError, match='not a file or folder below'):
        download_archive(archive.as_uri(), tmp_path / 'out', file_md5(archive))
    assert not list((tmp_path / 'out').glob('[!b]*'))
