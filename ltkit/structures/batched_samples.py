"""The annotations of a whole batch, without an object a sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from .data_sample import DataSample


class BatchedSamples:
    """What a list of :class:`DataSample` says, as one tensor a field.

    It stands where the list does. Parts of ltkit read the tensors; anything else
    iterates over it or indexes it, and gets the data samples, which are made
    then, once, and are what counts from then on.

    Args:
        gt_label (Tensor): Classes, int64, shape ``(N,)``.
        sample_idx (ndarray, optional): Number of each sample in its data set,
            shape ``(N,)``.
        num_classes (int, optional): C.
    """

    def __init__(self, gt_label: Tensor, sample_idx: np.ndarray | None = None,
                 num_classes: int | None = None) -> None:
        self.gt_label = gt_label
        self.gt_score: Tensor | None = None
        self.sample_idx = sample_idx
        self.num_classes = num_classes
        self._samples: list[DataSample] | None = None

    @property
    def targets(self) -> Tensor | None:
        """``gt_score`` ``(N, C)`` if there is one, else ``gt_label`` ``(N,)``; None once samples were made."""
        if self._samples is not None:
            return None
        return self.gt_label if self.gt_score is None else self.gt_score

    def set_targets(self, targets: Tensor) -> None:
        """Replace the labels, int64 ``(N,)``, or set soft ones, float ``(N, C)``."""
        name = 'gt_label' if targets.dim() == 1 else 'gt_score'
        setattr(self, name, targets)
        for sample, target in zip(self._samples or (), _rows(targets)):
            setattr(sample, name, target)

    def __len__(self) -> int:
        return len(self.gt_label)

    def __iter__(self) -> Iterator[DataSample]:
        return iter(self._made())

    def __getitem__(self, item: int | slice) -> Any:
        return self._made()[item]

    def _made(self) -> list[DataSample]:
        if self._samples is None:
            meta: dict[str, Any] = {} if self.num_classes is None else dict(num_classes=self.num_classes)
            indices = [None] * len(self) if self.sample_idx is None else self.sample_idx.tolist()
            samples = [DataSample(metainfo=meta if index is None else dict(meta, sample_idx=index))
                       for index in indices]
            for name in ('gt_label', 'gt_score'):
                field = getattr(self, name)
                for sample, value in zip(samples, () if field is None else _rows(field)):
                    setattr(sample, name, value)
            self._samples = samples
        return self._samples

    def __repr__(self) -> str:
        return f'{type(self).__name__}({len(self)} samples)'


def _rows(field: Tensor) -> tuple[Tensor, ...]:
    """``(N,)`` to N of ``(1,)``, ``(N, C)`` to N of ``(C,)``."""
    return field.split(1) if field.dim() == 1 else field.unbind()
