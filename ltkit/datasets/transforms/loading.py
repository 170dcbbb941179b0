"""Reading images."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from ...registry import TRANSFORMS
from ...utils.errors import ConfigError, DataError
from .base import BaseTransform

_MODES = dict(color='RGB', gray='L')


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Read the file ``img_path`` into ``img``, uint8 ``(H, W, 3)`` RGB.

    An image that is there already (data sets of arrays) is kept.

    Args:
        color_type (str): ``'color'``, or ``'gray'`` for ``(H, W, 1)``. Defaults
            to ``'color'``.

    Raises:
        DataError: The file is missing or cannot be decoded; names the file and
            the line of the list.
    """

    def __init__(self, color_type: str = 'color') -> None:
        if color_type not in _MODES:
            raise ConfigError(f"LoadImage: color_type must be 'color' or 'gray', but is {color_type!r}")
        self.color_type = color_type

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Set ``img`` and ``ori_shape`` (H, W)."""
        if 'img' not in results:
            results['img'] = self._read(results)
        results['ori_shape'] = results['img'].shape[:2]
        return results

    def _read(self, results: dict[str, Any]) -> np.ndarray:
        path = results['img_path']
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert(_MODES[self.color_type]))
        except FileNotFoundError:
            raise DataError(f'{_listed(results)}image {path} does not exist') from None
        except Exception as error:  # Pillow raises many kinds on damaged files
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f'{_listed(results)}image {path} cannot be decoded: {reason}') from error
        return pixels if pixels.ndim == 3 else pixels[..., None]

    def __repr__(self) -> str:
        return f'{type(self).__name__}(color_type={self.color_type!r})'


def _listed(results: dict[str, Any]) -> str:
    return f'{results["ann_line"]}: ' if results.get('ann_line') else ''
