"""A message hub that does not slow a run down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from torch import Tensor

MOST_WAITING = 512  # scalars on the device before they are read without being asked for


class ScalarHistory(HistoryBuffer):
    """mmengine's history of a scalar, at a constant cost an entry.

    mmengine copies the whole history to append to it, so that a long run slows
    down with its square, and reads each loss from the device at once, which makes
    the host wait in each iteration. Here room is kept, and scalars on a device wait
    there until somebody looks: a logger, every 50 iterations, reads them all in one
    transfer. What is read is the same. A copy or a pickle is a plain ``HistoryBuffer``.

    Args:
        log_history (Sequence[float]): Values so far.
        count_history (Sequence[int]): How many samples each stands for.
        max_length (int): Entries to keep, the latest. Defaults to 1,000,000.
    """

    def __init__(self, log_history: Sequence[float] = (), count_history: Sequence[int] = (),
                 max_length: int = 1_000_000) -> None:
        self._waiting: list[tuple[Tensor, int]] = []
        super().__init__(list(log_history), list(count_history), max_length)

    def update(self, log_val: float, count: int = 1) -> None:
        """Append a value."""
        if not isinstance(log_val, (int, float)) or not isinstance(count, (int, float)):
            raise TypeError(f'a scalar and its count must be numbers, but are {type(log_val).__name__} and '
                            f'{type(count).__name__}')
        self._read_waiting()
        self._append(log_val, count)

    def update_later(self, value: Tensor, count: int = 1) -> None:
        """Append a tensor of one value, which is read when somebody looks."""
        self._waiting.append((value.detach().reshape(()).clone(), count))
        if len(self._waiting) >= MOST_WAITING:
            self._read_waiting()

    def _read_waiting(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        values = torch.stack([value for value, _ in waiting]).tolist()  # one transfer
        for value, (_, count) in zip(values, waiting):
            self._append(value, count)

    def _append(self, value: float, count: int) -> None:
        if isinstance(value, float) and self._values.dtype.kind != 'f':
            self._values = self._values.astype(np.float64)
        if self._size == len(self._values):
            kept = min(self._size, self.max_length)
            room = max(2 * kept, 64)
            for name in ('_values', '_counts'):
                old = getattr(self, name)
                new = np.empty(room, old.dtype)
                new[:kept] = old[self._size - kept:self._size]
                setattr(self, name, new)
            self._size = kept
        self._values[self._size] = value
        self._counts[self._size] = count
        self._size += 1

    # What the methods of mmengine read and its constructor sets.
    @property
    def _log_history(self) -> np.ndarray:
        self._read_waiting()
        return self._values[max(0, self._size - self.max_length):self._size]

    @_log_history.setter
    def _log_history(self, values: np.ndarray) -> None:
        self._values = values if len(values) else values.astype(np.int64)  # until the first float
        self._size = len(values)

    @property
    def _count_history(self) -> np.ndarray:
        self._read_waiting()
        return self._counts[max(0, self._size - self.max_length):self._size]

    @_count_history.setter
    def _count_history(self, counts: np.ndarray) -> None:
        self._counts = counts if len(counts) else counts.astype(np.int64)

    def __reduce__(self) -> tuple[Any, ...]:
        return HistoryBuffer, (self._log_history.copy(), self._count_history.copy(), self.max_length)


class LazyMessageHub(MessageHub):
    """mmengine's message hub with :class:`ScalarHistory` in it; see :func:`make_lazy`."""

    def update_scalar(self, key: str, value: Any, count: int = 1, resumed: bool = True) -> None:
        """Append a number, or a tensor of one value, to the history of ``key``."""
        self._set_resumed_keys(key, resumed)
        history = self._log_scalars.get(key)
        if not isinstance(history, ScalarHistory):
            history = self._log_scalars[key] = _growing(history)
        if isinstance(value, Tensor) and value.numel() == 1:
            history.update_later(value, count)
        else:
            history.update(self._get_valid_value(value), count)


def make_lazy(hub: MessageHub) -> MessageHub:
    """Turn mmengine's hub into a :class:`LazyMessageHub`, in place.

    In place as mmengine hands out one object under its name, which others may hold already.
    """
    hub.__class__ = LazyMessageHub
    return hub


def _growing(history: HistoryBuffer | None) -> ScalarHistory:
    return ScalarHistory() if history is None else ScalarHistory(*history.data, history.max_length)
