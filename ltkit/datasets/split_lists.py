"""The public split lists: those shipped, those fetched, and how they are read.

A list has a line ``relative/path.jpg label`` for each image. An official list
is known by its git blob hash, the sha1 of ``blob <size>\\0`` and its content.
"""

from __future__ import annotations

import codecs
import gzip
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from ..utils.errors import DataError
from .columns import TextColumn
from .download import fetch, git_blob_hash, urlopen

SHIPPED_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'splits')
GET_SPLITS = 'python tools/dataset_converters/get_splits.py'
_RAW = 'https://raw.githubusercontent.com'
_SURVEY = f'{_RAW}/Vanint/Awesome-LongTailed-Learning/2c1ad2a687d61f491bd50dce532bd6d9480a03c7/data'
_DECOUPLING = f'{_RAW}/facebookresearch/classifier-balancing/f162adef63fdf592d0b8a0f6e52bc481fc08785f/data'


@dataclass(frozen=True)
class SplitList:
    """An official list.

    Args:
        name (str): File name.
        blob (str): git blob hash of the content.
        lines (int): Number of images.
        key (str): What ``get_splits.py`` calls it; ``''`` for a list that is shipped.
        url (str): Where it is fetched.
    """

    name: str
    blob: str
    lines: int
    key: str = ''
    url: str = ''

    @property
    def shipped(self) -> bool:
        """Whether the package carries it."""
        return not self.key


SPLIT_LISTS: dict[str, SplitList] = {
    entry.name: entry
    for entry in (
        SplitList('ImageNet_LT_train.txt', 'a063f095fcd475db4cf8b0658c4b73955535bbf9', 115846,
                  'imagenet_lt', f'{_SURVEY}/ImageNet_LT_train.txt'),
        SplitList('Imagenet_balanced_train.txt', '4730ddc15b81ed317b51aafc6f1dc85ad22341b8', 115846,
                  'imagenet_balanced', f'{_SURVEY}/Imagenet_balanced_train.txt'),
        SplitList('iNaturalist18_train.txt', '4accdb7584d2f0a5106c40a33ed6afa392189bcc', 437513,
                  'inaturalist18', f'{_DECOUPLING}/iNaturalist18/iNaturalist18_train.txt'),
        SplitList('ImageNet_LT_val.txt', '3ed3188b2f44829ce2dec1cc27040d8d40984088', 20000),
        SplitList('ImageNet_LT_test.txt', '76a2fb9749d6cd29e765cc4f8c270f2504131e2f', 50000),
        SplitList('Places_LT_train.txt', '6392252f8ae867bc8a5e841cc1b29e5b8ef4b636', 62500),
        SplitList('Places_LT_val.txt', 'b93a2ca58ccb7f3b671c176f395a70bf52c95533', 7300),
        SplitList('Places_LT_test.txt', 'e732e58b8aa718a2c1c11933375f5710652c2b93', 36500),
        SplitList('iNaturalist18_val.txt', '4c23900857fd0f5adcd4cc0dffef345039eeb05f', 24426),
    )
}


def shipped_file(name: str) -> str:
    """Path of a file that the package carries, for example ``'Places_LT_train_class_counts.tsv'``."""
    for path in (os.path.join(SHIPPED_FOLDER, name), os.path.join(SHIPPED_FOLDER, name + '.gz')):
        if os.path.isfile(path):
            return path
    raise DataError(f"ltkit ships no file '{name}'; it has {', '.join(sorted(os.listdir(SHIPPED_FOLDER)))}")


def find_list(entry: SplitList, folders: Sequence[str]) -> str:
    """Path of an official list: the shipped one, else the first in ``folders``, plain or ``.gz``.

    Raises:
        DataError: It is nowhere; the message says where to put it, its hash and
            the command that fetches it.
    """
    if entry.shipped:
        return shipped_file(entry.name)
    for folder in folders:
        for name in (entry.name, entry.name + '.gz'):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return path
    looked = ', '.join(f"'{folder or '.'}'" for folder in folders)
    raise DataError(
        f'{entry.name} ({entry.lines:,} lines) is in none of {looked}; fetch it with '
        f"`{GET_SPLITS} {entry.key}`, or put it into '{folders[-1]}' (git blob {entry.blob})")


def read_list_bytes(path: str | os.PathLike) -> bytes:
    """The content of a list; gzip is recognised by its first bytes."""
    try:
        with open(path, 'rb') as file:
            content = file.read()
        return gzip.decompress(content) if content[:2] == b'\x1f\x8b' else content
    except FileNotFoundError:
        raise DataError(f'the list {path} does not exist') from None
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f'the list {path} cannot be read: {error}') from error
    except Exception as error:  # zlib.error of a damaged file
        raise DataError(f'the list {path} is damaged: {error}') from error


def check_list(entry: SplitList, content: bytes, path: str) -> None:
    """Compare a list with its hash.

    Raises:
        DataError: It is another file.
    """
    blob = git_blob_hash(content)
    if blob != entry.blob:
        again = f'; fetch it again with `{GET_SPLITS} {entry.key}`' if entry.key else ''
        raise DataError(
            f'{path} is not the official {entry.name}: its git blob is {blob}, not {entry.blob}{again}, '
            'or give your own list as ann_file')


def fetch_list(entry: SplitList,
               folder: str | os.PathLike,
               url: str | None = None,
               opener: Callable[[str], IO[bytes]] = urlopen) -> tuple[str, bool]:
    """Fetch an official list into ``folder``, unless it is there already.

    Returns:
        tuple[str, bool]: Its path, and whether it was fetched now.

    Raises:
        DataError: It cannot be fetched, or another file came; nothing is left behind.
    """

    def check(path: str) -> str:
        blob = git_blob_hash(read_list_bytes(path))
        return '' if blob == entry.blob else f'git blob {blob}, not {entry.blob}'

    path = os.path.join(folder, entry.name)
    if os.path.isfile(path) and not check(path):
        return path, False
    try:
        fetch(url or entry.url, path, check, opener)
    except DataError as error:
        raise DataError(
            f'{error}; put {entry.name} (git blob {entry.blob}) into {folder}{os.sep} by hand') from error
    return path, True


def parse_list(content: bytes, source: str) -> tuple[TextColumn, np.ndarray, np.ndarray]:
    """Split a list into paths and labels, without a Python loop over its lines.

    A line is split at its last space or tab, so a path may contain spaces.
    Blank lines and a byte-order mark of UTF-8 are passed over.

    Args:
        content (bytes): The list.
        source (str): Its name, for messages.

    Returns:
        tuple[TextColumn, ndarray, ndarray]: Paths, labels (int64) and 1-based
        line numbers (int64), each of length N.

    Raises:
        DataError: A line is not ``path label``; names the line.
    """
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise DataError(f'{source} is UTF-16 text; save it as UTF-8')
    content = content.removeprefix(codecs.BOM_UTF8)
    if not content.endswith(b'\n'):
        content += b'\n'
    text = np.frombuffer(content, dtype=np.uint8)
    breaks = np.flatnonzero(text == 10)
    starts = np.concatenate([np.zeros(1, np.int64), breaks[:-1] + 1])
    ends = _without_trailing_blanks(text, starts, breaks)
    lines = np.flatnonzero(ends > starts)
    starts, ends = starts[lines], ends[lines]
    lines = lines + 1
    blanks = np.concatenate([[-1], np.flatnonzero((text == 32) | (text == 9))])
    cuts = blanks[np.searchsorted(blanks, ends) - 1]
    path_ends = _without_trailing_blanks(text, starts, np.maximum(cuts, starts))
    widths = ends - cuts - 1
    good = (path_ends > starts) & (widths <= 9)
    labels = np.zeros(len(lines), dtype=np.int64)
    for place in range(int(widths[good].max(initial=0))):
        inside = good & (place < widths)
        digit = text[cuts[inside] + 1 + place].astype(np.int64) - 48
        labels[inside] = labels[inside] * 10 + digit
        good[inside] &= (digit >= 0) & (digit <= 9)
    if not good.all():
        first = int(np.argmin(good))
        found = content[starts[first]:ends[first]].decode('utf-8', 'replace')
        raise DataError(
            f"{source}:{lines[first]}: expected 'relative/path.jpg label', but found '{found[:200]}'")
    return TextColumn(content, starts, path_ends), labels, lines


def _without_trailing_blanks(text: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Move each end to the left over spaces, tabs and carriage returns."""
    ends = ends.copy()
    while True:
        last = text[np.maximum(ends - 1, 0)]
        blank = (ends > starts) & ((last == 32) | (last == 9) | (last == 13))
        if not blank.any():
            return ends
        ends[blank] -= 1
