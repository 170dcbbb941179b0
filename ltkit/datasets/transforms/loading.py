"""Reading images."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from ...registry import TRANSFORMS
from ...utils.errors import ConfigError, DataError
from .base import BaseTransform, named

_MODES = dict(color='RGB', gray='L')


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Read the file ``img_path`` into ``img``, uint8 ``(H, W, 3)`` RGB.

    An image that is there already (data sets of arrays) is kept.

    Grey images of 16 bits are brought to 8; of an animation the first frame is
    taken, and transparency is dropped.

    Args:
        color_type (str): ``'color'``, or ``'gray'`` for ``(H, W, 1)``. Defaults
            to ``'color'``.
        draft_size (int, optional): Decode a JPEG at 1/2, 1/4 or 1/8 of its size
            where the shorter side is still at least this many pixels; several
            times faster on large photographs. The pixels differ slightly from
            those of the full image made smaller, and a random crop of a small
            part is enlarged from fewer of them: for training on crops of S take
            about 2 S, for a test with ``Resize(256)`` 512. Other formats are
            decoded in full. Defaults to None, all images in full.

    Raises:
        DataError: The file is missing or cannot be decoded; names the file and
            the line of the list.
    """

    def __init__(self, color_type: str = 'color', draft_size: int | None = None) -> None:
        if color_type not in _MODES:
            raise ConfigError(f"LoadImage: color_type must be 'color' or 'gray', but is {color_type!r}")
        if draft_size is not None and (isinstance(draft_size, bool) or not isinstance(draft_size, int)
                                       or draft_size < 1):
            raise ConfigError(f'LoadImage: draft_size must be a number of pixels >= 1 or None, but is {draft_size!r}')
        self.color_type = color_type
        self.draft_size = draft_size

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Set ``img`` and ``ori_shape``, the (H, W) of the file."""
        if 'img' in results:
            results['ori_shape'] = results['img'].shape[:2]
        else:
            results['img'], results['ori_shape'] = self._read(results)
        return results

    def _read(self, results: dict[str, Any]) -> tuple[np.ndarray, tuple[int, int]]:
        path = results['img_path']
        try:
            with Image.open(path) as image:
                shape = image.size[::-1]
                if self.draft_size is not None:
                    image.draft(None, (self.draft_size, self.draft_size))  # never below; of JPEG alone
                pixels = np.asarray(_eight_bits(image).convert(_MODES[self.color_type]))
        except FileNotFoundError:
            raise DataError(f'{named(results)} does not exist') from None
        except Exception as error:  # Pillow raises many kinds on damaged files
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f'{named(results)} cannot be decoded: {reason}') from error
        return pixels if pixels.ndim == 3 else pixels[..., None], shape

    def __repr__(self) -> str:
        return f'{type(self).__name__}(color_type={self.color_type!r}, draft_size={self.draft_size})'


def _eight_bits(image: Image.Image) -> Image.Image:
    """The image in a mode whose conversion to RGB or gray keeps what it shows.

    Pillow clips 16 bits a pixel at 255, which turns nearly all of an image white;
    they are divided by 256 here. A transparent palette is resolved first, as Pillow asks for.
    """
    if image.mode == 'P' and isinstance(image.info.get('transparency'), bytes):
        return image.convert('RGBA')
    if image.mode == 'F' or (image.mode == 'I' and image.getextrema()[1] > 65535):
        raise ValueError(f'Pillow mode {image.mode} states no range of its values; save it with 8 or 16 bits a pixel')
    if image.mode.startswith('I'):
        return Image.fromarray((np.asarray(image).clip(0) >> 8).astype(np.uint8))
    return image
