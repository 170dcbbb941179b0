"""The end of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...registry import TRANSFORMS
from ...structures import DataSample
from ...utils.errors import DataError
from .base import BaseTransform


@TRANSFORMS.register_module()
class PackInputs(BaseTransform):
    """Make the item that the data preprocessor takes.

    ``dict(inputs=uint8 tensor (C, H, W), data_samples=DataSample)``; an image is
    never scaled here.

    Args:
        meta_keys (Sequence[str]): What of the results becomes metainfo of the
            data sample; a key that is not there is left out.
    """

    def __init__(self, meta_keys: Sequence[str] = ('sample_idx', 'img_path', 'num_classes')) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack ``img``, ``gt_label`` and ``gt_score``, as far as they are there."""
        sample = DataSample(metainfo={key: results[key] for key in self.meta_keys if key in results})
        if 'gt_label' in results:
            sample.set_gt_label(results['gt_label'])
        if 'gt_score' in results:
            sample.set_gt_score(results['gt_score'])
        if 'img' not in results:
            raise DataError("PackInputs finds no 'img' in the results; images in files need LoadImage first")
        return dict(inputs=image_to_tensor(results['img']), data_samples=sample)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'


def image_to_tensor(image: np.ndarray | torch.Tensor) -> torch.Tensor:
    """``(H, W, C)`` or ``(H, W)`` to a new tensor ``(C, H, W)`` of the same type."""
    if isinstance(image, torch.Tensor):
        return image
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3:
        raise DataError(f'an image has shape (H, W, C), but this one has {image.shape}')
    return torch.from_numpy(np.array(image.transpose(2, 0, 1), order='C'))  # a copy: images may be read-only
