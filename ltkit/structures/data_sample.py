"""The annotation and the prediction of one image."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..utils.errors import DataError

LabelLike = int | Sequence[int] | np.ndarray | Tensor
ScoreLike = Sequence[float] | np.ndarray | Tensor


class DataSample(BaseDataElement):
    """Label and prediction of one image.

    The attributes are those of mmpretrain's class of the same name, so that
    heads and metrics read either.

    Attributes:
        gt_label (Tensor): True class, int64, shape ``(1,)``; several classes of
            a multi-label image, shape ``(L,)``.
        gt_score (Tensor): Soft target of each class, shape ``(C,)``.
        pred_label (Tensor): Predicted class, int64, shape ``(1,)`` or ``(L,)``.
        pred_score (Tensor): Predicted probability of each class, shape ``(C,)``.

    Metainfo keys that ltkit sets: ``sample_idx`` (int), ``img_path`` (str) and
    ``num_classes`` (int).

    Example:
        >>> sample = DataSample(metainfo=dict(sample_idx=7)).set_gt_label(3)
        >>> sample.gt_label
        tensor([3])
    """

    def set_gt_label(self, value: LabelLike) -> DataSample:
        """Set ``gt_label`` and return self."""
        self.set_field(_label(value), 'gt_label', dtype=Tensor)
        return self

    def set_gt_score(self, value: ScoreLike) -> DataSample:
        """Set ``gt_score``, shape ``(C,)``, and return self."""
        self.set_field(self._score(value), 'gt_score', dtype=Tensor)
        return self

    def set_pred_label(self, value: LabelLike) -> DataSample:
        """Set ``pred_label`` and return self."""
        self.set_field(_label(value), 'pred_label', dtype=Tensor)
        return self

    def set_pred_score(self, value: ScoreLike) -> DataSample:
        """Set ``pred_score``, shape ``(C,)``, and return self."""
        self.set_field(self._score(value), 'pred_score', dtype=Tensor)
        return self

    def _score(self, value: ScoreLike) -> Tensor:
        score = value if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value, dtype=np.float32))
        if score.ndim != 1:
            raise DataError(f'a score has one number a class, shape (C,), but has shape {tuple(score.shape)}')
        num_classes = self.get('num_classes')
        if num_classes is not None and len(score) != num_classes:
            raise DataError(f'a score of {len(score)} classes for a data set of {num_classes} classes')
        return score


def _label(value: LabelLike) -> Tensor:
    if isinstance(value, Integral):
        return torch.tensor([int(value)])
    label = value if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
    if label.is_floating_point() or label.dtype == torch.bool or label.ndim > 1:
        raise DataError(
            f'a label is a whole number or a list of them, but is {label.dtype}, shape {tuple(label.shape)}')
    return label.reshape(-1).long()
