"""Records of samples in a few large arrays."""

from __future__ import annotations

import numpy as np

Records = dict[str, np.ndarray]
FIRST_ROWS = 1024


class GrowingRecords:
    """Arrays of one row a sample, which grow by doubling.

    A list of the small arrays of each batch would hold little itself, but lie on
    the heap between the large scores of the batches, which then cannot be given
    back: over 1 GB after 50,000 x 8,142 scores.
    """

    def __init__(self) -> None:
        self._arrays: Records = {}
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, records: Records) -> None:
        """Copy the rows of a batch: name to an array of n rows, the same names each time."""
        rows = self._rows + len(next(iter(records.values())))
        for name, values in records.items():
            self._arrays[name] = array = self._with_room(name, rows, np.asarray(values))
            array[self._rows:rows] = values
        self._rows = rows

    def arrays(self) -> Records:
        """Name to the array of all rows."""
        return {name: array[:self._rows] for name, array in self._arrays.items()}

    def _with_room(self, name: str, rows: int, values: np.ndarray) -> np.ndarray:
        old = self._arrays.get(name)
        dtype = values.dtype if old is None else np.result_type(old, values)
        if old is not None and len(old) >= rows and old.dtype == dtype:
            return old
        room = FIRST_ROWS if old is None else len(old)
        while room < rows:
            room *= 2
        array = np.empty((room, *values.shape[1:]), dtype=dtype)
        if old is not None:
            array[:self._rows] = old[:self._rows]
        return array
