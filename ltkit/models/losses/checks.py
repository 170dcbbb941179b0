"""What every loss checks of its input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ltkit.utils.errors import ConfigError, DataError

if TYPE_CHECKING:
    from .base import LongTailLoss


def check_scores(loss: LongTailLoss, cls_score: Tensor) -> None:
    """Raise :class:`ConfigError` unless the logits have the dimensions of the loss and a float dtype."""
    dims = loss.score_dims
    if cls_score.dim() != len(dims):
        if len(dims) == 3:
            hint = 'it is a loss of several experts, for MultiExpertHead'
        elif cls_score.dim() == 3:
            hint = 'the scores of several experts need a multi-expert loss'
        else:
            hint = 'give one row of class scores a sample'
        raise ConfigError(f'{type(loss).__name__} takes cls_score of shape ({", ".join(dims)}), but got '
                          f'{tuple(cls_score.shape)}; {hint}')
    if not cls_score.is_floating_point():
        raise ConfigError(f'cls_score must be of a float dtype, but is {cls_score.dtype}')


def check_sample_weight(cls_score: Tensor, weight: Tensor | None) -> None:
    """Raise :class:`DataError` unless there is one weight a sample, or none at all."""
    if weight is not None and weight.shape != cls_score.shape[-2:-1]:
        raise DataError(f'weight has shape {tuple(weight.shape)}, but must hold one factor for each of the '
                        f'{cls_score.size(-2)} samples')


def checked_target(loss: LongTailLoss, cls_score: Tensor, target: Tensor) -> Tensor:
    """Labels ``(N,)`` as int64, or soft labels ``(N, C)`` as they are.

    Raises:
        DataError: A wrong shape or dtype, soft labels where the loss has no form
            for them, or a label out of range. Labels on an accelerator, or
            under ``torch.compile``, are not read: that would stop it.
    """
    samples, classes = cls_score.shape[-2:]
    if target.shape == (samples, classes):
        if not loss.supports_soft_labels:
            raise DataError(f'{type(loss).__name__} has no form for soft labels; give class indices of shape '
                            '(N,), and leave out mixup and its like')
        return target
    if target.shape != (samples,):
        raise DataError(f'target has shape {tuple(target.shape)}, but must be, for cls_score '
                        f'{tuple(cls_score.shape)}, class indices ({samples},) or soft '
                        f'labels ({samples}, {classes})')
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
        raise DataError(f'target of shape ({samples},) must be class indices of an integer dtype, but is '
                        f'{target.dtype}')
    target = target.long()
    if target.device.type == 'cpu' and not torch.compiler.is_compiling():
        wrong = target[(target < 0) | (target >= classes)]
        if wrong.numel():
            raise DataError(f'label {wrong[0].item()} is out of range: with {classes} classes labels are 0 '
                            f'to {classes - 1} ({wrong.numel()} such labels in this batch)')
    return target
