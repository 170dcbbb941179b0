"""Fetching of files with a check of what came."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable
from functools import partial
from http.client import HTTPException
from typing import IO
from urllib.request import urlopen as _urlopen

from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log

from ..utils.errors import DataError

_CHUNK = 1 << 20
urlopen: Callable[[str], IO[bytes]] = partial(_urlopen, timeout=60)


def file_md5(path: str | os.PathLike) -> str:
    """md5 of a file, in hexadecimal digits."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, 'rb') as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def git_blob_hash(content: bytes) -> str:
    """The name that git gives to a file: sha1 of ``blob <size>\\0`` and the content."""
    digest = hashlib.sha1(b'blob %d\0' % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def fetch(url: str,
          path: str | os.PathLike,
          check: Callable[[str], str],
          opener: Callable[[str], IO[bytes]] = urlopen) -> None:
    """Download a file; it appears under its name only when it is whole and right.

    Args:
        url (str): Where to fetch it.
        path (str): Where to put it; folders are made.
        check (Callable): Takes the path of the download and returns what is
            wrong with it, ``''`` if nothing.
        opener (Callable): Opens a URL. Defaults to :func:`urllib.request.urlopen`
            with a limit of 60 seconds for an answer.

    Raises:
        DataError: The URL cannot be reached, or what came is not what it should be.
    """
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=os.path.basename(path) + '.', suffix='.part', dir=folder)
    try:
        try:
            with os.fdopen(handle, 'wb') as file, opener(url) as source:
                while chunk := source.read(_CHUNK):
                    file.write(chunk)
        except (OSError, HTTPException, ValueError) as error:
            raise DataError(f'cannot fetch {url}: {error}') from error
        wrong = check(part)
        if wrong:
            raise DataError(f'{url} gave another file than expected: {wrong}; nothing was kept')
        os.chmod(part, 0o644)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)


def download_archive(url: str,
                     folder: str | os.PathLike,
                     md5: str,
                     opener: Callable[[str], IO[bytes]] = urlopen) -> None:
    """Fetch a ``.tar.gz``, check its md5 and unpack it into ``folder``.

    One process does it, the others wait.
    """

    def check(path: str) -> str:
        found = file_md5(path)
        return '' if found == md5 else f'md5 {found}, not {md5}'

    try:
        if is_main_process():
            archive = os.path.join(folder, url.rsplit('/', 1)[1])
            if not os.path.isfile(archive) or check(archive):
                print_log(f'downloading {url} to {archive}', logger='current')
                fetch(url, archive, check, opener)
            with tarfile.open(archive) as file:
                unpack(file, folder)
    finally:
        barrier()


def unpack(archive: tarfile.TarFile, folder: str) -> None:
    """Unpack an archive; nothing of it is written outside ``folder``.

    Raises:
        DataError: A member is neither a plain file nor a folder below ``folder``.
    """
    root = os.path.realpath(folder)
    for member in archive.getmembers():  # the filter of tarfile is not in every Python 3.10 and 3.11
        target = os.path.realpath(os.path.join(root, member.name))
        if not (member.isfile() or member.isdir()) or os.path.commonpath([root, target]) != root:
            raise DataError(f"the archive holds '{member.name}', which is not a file or folder below {folder}")
    archive.extractall(root)
