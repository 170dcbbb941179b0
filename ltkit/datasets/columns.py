"""Columnar storage: one array for each thing that a data set knows of its samples.

Nothing is kept as a Python object per sample, so a list of half a million
images is set up in a fraction of a second, and the workers of a data loader
share its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


class TextColumn:
    """Strings as spans of one buffer of UTF-8 bytes.

    Args:
        buffer (bytes): The text.
        starts (ndarray): First byte of each string, int64, shape ``(N,)``.
        ends (ndarray): One past its last byte, int64, shape ``(N,)``.
    """

    def __init__(self, buffer: bytes, starts: np.ndarray, ends: np.ndarray) -> None:
        self.buffer = buffer
        self.starts = starts
        self.ends = ends

    @classmethod
    def from_strings(cls, strings: Sequence[str]) -> TextColumn:
        """Store a list of strings."""
        parts = [text.encode('utf-8', 'surrogateescape') for text in strings]
        ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(parts) else ends
        return cls(b''.join(parts), starts, ends)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, idx: int) -> str:
        return self.buffer[self.starts[idx]:self.ends[idx]].decode('utf-8', 'surrogateescape')

    def take(self, indices: np.ndarray) -> TextColumn:
        """The strings of ``indices``; the buffer is shared."""
        return TextColumn(self.buffer, self.starts[indices], self.ends[indices])


@dataclass
class Columns:
    """The samples of a data set.

    Args:
        labels (ndarray): Class of each sample, int64, shape ``(N,)``.
        images (ndarray, optional): uint8, shape ``(N, H, W, 3)`` RGB or
            ``(N, H, W, 1)``. Either these or ``paths``.
        paths (TextColumn, optional): File of each image, relative to ``prefix``.
        prefix (str): Folder in front of ``paths``. Defaults to ``''``.
        rows (ndarray, optional): Row of each sample in its source (0-based row
            of an array, 1-based line of a list), int64, shape ``(N,)``.
        source (str): The file that ``rows`` are of, for messages.
        classes (Sequence[str], optional): Class names that the source states.
    """

    labels: np.ndarray
    images: np.ndarray | None = None
    paths: TextColumn | None = None
    prefix: str = ''
    rows: np.ndarray | None = None
    source: str = ''
    classes: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Sequence[int] | np.ndarray | slice) -> Columns:
        """The samples of ``indices`` in that order."""
        if not isinstance(indices, slice):
            indices = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            labels=self.labels[indices],
            images=None if self.images is None else self.images[indices],
            paths=None if self.paths is None else self.paths.take(indices),
            rows=None if self.rows is None else self.rows[indices])

    def where(self, idx: int) -> str:
        """Where sample ``idx`` comes from: ``'list.txt:17'``, or its row."""
        if self.rows is None:
            return f'sample {idx}'
        if self.paths is None:
            return f'{self.source} row {self.rows[idx]}'
        return f'{self.source}:{self.rows[idx]}'
