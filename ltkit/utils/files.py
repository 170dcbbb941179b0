"""Files that are written whole or not at all, and disks that are full."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from .errors import DiskFullError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, over the quota, over the limit of one file


@contextlib.contextmanager
def whole_file(path: str | os.PathLike, needed: int | None = None) -> Iterator[str]:
    """Give a temporary name beside ``path``; on success flush it and rename it.

    A reader meets the old file or the new one, never half of one, also after the
    machine lost power: the bytes are on the disk before the name is, and the name
    is before this returns. After an error nothing of the new file is left.

    Args:
        path: The file to be written.
        needed (int, optional): Its size in bytes, for the message of a full disk.

    Yields:
        str: The temporary name to write to.

    Raises:
        DiskFullError: There is no space for it, or a quota does not allow it.
    """
    path = os.fspath(path)
    part = f'{path}.{os.getpid()}.part'
    try:
        yield part
        with open(part, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(part, path)
        _flush_folder(os.path.dirname(path) or '.')
    except OSError as error:
        with contextlib.suppress(OSError):
            os.remove(part)  # before the free space is stated
        if is_full(error):
            raise full_disk_error(error, path, needed) from error
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)


def is_full(error: OSError) -> bool:
    """Whether the cause is that there is no room for more."""
    return error.errno in _FULL


def full_disk_error(error: OSError, path: str | None = None, needed: int | None = None) -> DiskFullError:
    """Say in one line which file had no room, how much it needs and how much there is.

    Args:
        error (OSError): One of which :func:`is_full` is true.
        path (str, optional): The file. Defaults to the one that ``error`` names.
        needed (int, optional): Its size in bytes.
    """
    path = path or error.filename
    what = 'a file' if path is None else os.fspath(path)
    size = f', which needs {_megabytes(needed)},' if needed else ''
    if error.errno == errno.EFBIG:
        return DiskFullError(f'{what}{size} is larger than a file may be here (ulimit -f); nothing of it was '
                             'written')
    with contextlib.suppress(OSError, TypeError):
        free = shutil.disk_usage(os.path.dirname(os.path.abspath(path))).free
        quota = ' and the quota may allow less' if error.errno == errno.EDQUOT else ''
        size += f' where {_megabytes(free)} are free{quota}'
    return DiskFullError(f'the disk is full: no space for {what}{size}; nothing of it was written')


def tensor_bytes(value: Any) -> int:
    """Bytes of all tensors in nested mappings and sequences."""
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, Mapping):
        return sum(tensor_bytes(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return sum(tensor_bytes(item) for item in value)
    return 0


def _flush_folder(folder: str) -> None:
    """Bring a rename to the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _megabytes(size: int) -> str:
    return f'{size / 1e6:,.1f} MB'
