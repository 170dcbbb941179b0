"""Features of a whole data set, in a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import numpy as np

from ...utils.files import full_disk_error, is_full

CHUNK_BYTES = 2**22  # what is computed of a chunk, in float64, takes some ten times as much


class FeatureFile:
    """A temporary file of rows, written once and read as often as wanted.

    It has no name in the folder and is gone with the process, however that ends.

    Args:
        folder (str, optional): Where it is. Defaults to the system's folder of
            temporary files (``TMPDIR``).
    """

    def __init__(self, folder: str | os.PathLike | None = None) -> None:
        self._folder = os.fspath(folder or tempfile.gettempdir())
        self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        self._dtype: np.dtype | None = None
        self.num_channels = 0
        self.num_rows = 0

    def append(self, rows: np.ndarray) -> None:
        """Add rows ``(n, d)``, of a float dtype which is that of all.

        Raises:
            DiskFullError: There is no room for them.
            ValueError: They are of another d than those before.
        """
        if self._dtype is None:
            self._dtype, self.num_channels = rows.dtype, rows.shape[1]
        if rows.ndim != 2 or rows.shape[1] != self.num_channels:
            raise ValueError(f'rows must be of shape (n, {self.num_channels}), but are {rows.shape}')
        try:
            self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).tobytes())
            self._file.flush()
        except OSError as error:
            if is_full(error):
                raise full_disk_error(error, os.path.join(self._folder, 'features')) from error
            raise
        self.num_rows += len(rows)

    def chunks(self) -> Iterator[np.ndarray]:
        """All rows from the first on, in arrays of at most 4 MiB."""
        if not self.num_rows:
            return
        width = self.num_channels * self._dtype.itemsize
        rows = max(1, CHUNK_BYTES // width)
        for start in range(0, self.num_rows, rows):
            self._file.seek(start * width)
            content = self._file.read(min(rows, self.num_rows - start) * width)
            yield np.frombuffer(content, dtype=self._dtype).reshape(-1, self.num_channels)
        self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Give its room back."""
        self._file.close()
