"""torchvision's image transforms under the names ``torchvision/<class>``.

This module imports torchvision; the registry imports it when a config names one
of its transforms.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from PIL import Image
from torchvision import transforms as tv
from torchvision.transforms import AutoAugmentPolicy, InterpolationMode

from ...registry import TRANSFORMS
from ...utils.errors import ConfigError, DataError, did_you_mean
from .base import BaseTransform, named
from .names import TORCHVISION_TRANSFORMS


class TorchvisionTransform(BaseTransform):
    """Apply a torchvision transform to ``img``.

    The image goes in as a PIL image and comes back as uint8 ``(H, W, C)``, with
    the number of channels that it had. Arguments are those of the torchvision
    class; an interpolation mode or AutoAugment policy may be named by a string
    (``'bicubic'``, ``'cifar10'``).
    """

    wrapped: type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = f'torchvision/{self.wrapped.__name__}'
        signature = inspect.signature(self.wrapped)
        for key, value in kwargs.items():
            if key not in signature.parameters:
                raise ConfigError(f"{name} has no argument '{key}'; it has {', '.join(signature.parameters)}"
                                  f'{did_you_mean(key, signature.parameters)}')
            kwargs[key] = _named(name, key, value)
        try:
            self.apply = self.wrapped(*args, **kwargs)
        except (TypeError, ValueError) as error:
            raise ConfigError(f'{name}: {error}') from error

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img``.

        Raises:
            DataError: The transform does not fit the image; names the image.
        """
        try:
            results['img'] = from_pil(self.apply(to_pil(results['img'])))
        except (TypeError, ValueError) as error:
            height, width = results['img'].shape[:2]
            raise DataError(f'torchvision/{self.apply!r} does not fit {named(results)} of {width} x {height} pixels: '
                            f'{error}') from error
        return results

    def __repr__(self) -> str:
        return f'torchvision/{self.apply!r}'


def to_pil(image: np.ndarray) -> Image.Image:
    """uint8 ``(H, W, 3)`` or ``(H, W, 1)`` to a PIL image."""
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def from_pil(image: Image.Image) -> np.ndarray:
    """A PIL image to uint8 ``(H, W, 3)`` or ``(H, W, 1)``."""
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _named(transform: str, key: str, value: Any) -> Any:
    kinds = dict(interpolation=InterpolationMode, policy=AutoAugmentPolicy)
    if key not in kinds or not isinstance(value, str):
        return value
    try:
        return kinds[key](value)
    except ValueError:
        known = [member.value for member in kinds[key]]
        raise ConfigError(f'{transform}: {key} must be one of {", ".join(known)}, but is {value!r}'
                          f'{did_you_mean(value, known)}') from None


def _register(name: str) -> None:
    wrapped = getattr(tv, name)
    summary = (wrapped.__doc__ or '').strip().split('\n')[0]
    body = dict(
        __module__=__name__,
        __doc__=f'``torchvision.transforms.{name}`` on ``img``. {summary}',
        wrapped=wrapped,
        __signature__=inspect.signature(wrapped))
    adapter = type(name, (TorchvisionTransform,), body)
    globals()[name] = adapter  # pickle, which loader workers need, looks for it here
    TRANSFORMS.register_module(name=f'torchvision/{name}', module=adapter)


for _name in TORCHVISION_TRANSFORMS:
    _register(_name)


@TRANSFORMS.register_module()
class CIFARAutoAugment(BaseTransform):
    """AutoAugment with the policy found on CIFAR-10, as the field uses it on CIFAR.

    Of 25 sub-policies of two operations one is drawn for each image. Cubuk et
    al., CVPR 2019, arXiv 1805.09501. It stands after the random crop and flip.

    Args:
        fill (float | Sequence[float], optional): Value, or one a channel, of
            the area outside the image after a geometric operation. Defaults to
            128, the gray of the official code.
    """

    def __init__(self, fill: Any = 128) -> None:
        self.fill = fill
        self._apply: dict[int, tv.AutoAugment] = {}

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img``."""
        image = results['img']
        channels = image.shape[-1]
        if channels not in self._apply:
            fill = [self.fill] * channels if isinstance(self.fill, (int, float)) else list(self.fill)
            self._apply[channels] = tv.AutoAugment(AutoAugmentPolicy.CIFAR10, fill=fill)
        results['img'] = from_pil(self._apply[channels](to_pil(image)))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(fill={self.fill})'
