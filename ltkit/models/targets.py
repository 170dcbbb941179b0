"""From a list of data samples to one target tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ltkit.structures import BatchedSamples
from ltkit.utils.errors import DataError


def gather_targets(data_samples: Sequence[Any] | None, device: torch.device | None = None) -> Tensor:
    """The targets of a batch.

    Args:
        data_samples (Sequence): N samples with ``gt_label``, int64 ``(1,)``, or
            with ``gt_score``, float ``(C,)`` (mixed images), which goes first; or
            one :class:`~ltkit.structures.BatchedSamples`.
        device (torch.device, optional): Where to put the result; one transfer
            for the whole batch.

    Returns:
        Tensor: ``(N,)`` int64, or ``(N, C)`` soft labels.

    Raises:
        DataError: There are no samples, or one has no label.
    """
    if not data_samples:
        raise DataError('training needs a data sample with gt_label for each image, but the batch has none')
    if isinstance(data_samples, BatchedSamples) and data_samples.targets is not None:
        return data_samples.targets.to(device, non_blocking=True)
    if getattr(data_samples[0], 'gt_score', None) is not None:
        return torch.stack([sample.gt_score for sample in data_samples]).to(device, non_blocking=True)
    labels = [getattr(sample, 'gt_label', None) for sample in data_samples]
    if any(label is None for label in labels):
        sample = data_samples[labels.index(None)]
        raise DataError(
            f"the sample of {getattr(sample, 'img_path', 'unknown path')} has no gt_label; training needs "
            'one, let the data set give it and PackInputs keep it')
    return torch.cat(labels).to(device, non_blocking=True)


def check_labels(labels: Tensor, num_classes: int, samples: Sequence[Any] = ()) -> None:
    """Refuse labels outside ``0 .. num_classes - 1``.

    Labels on an accelerator are not looked at: reading them would stop it.

    Args:
        labels (Tensor): Shape ``(N,)``.
        num_classes (int): C.
        samples (Sequence): The N samples, to name the image at fault.

    Raises:
        DataError: A label is out of range.
    """
    if labels.device.type != 'cpu' or labels.dim() != 1 or labels.numel() == 0:
        return
    wrong = ((labels < 0) | (labels >= num_classes)).nonzero()
    if len(wrong):
        first = int(wrong[0])
        path = getattr(samples[first], 'img_path', None) if len(samples) else None
        of = f' of {path}' if path else ''
        raise DataError(
            f'label {int(labels[first])}{of} is out of range 0 .. {num_classes - 1}; num_classes of the '
            f'head is {num_classes}, check it against the data set')
