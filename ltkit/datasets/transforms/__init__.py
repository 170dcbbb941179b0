"""Transforms of a pipeline. Those of torchvision are imported when they are named."""

from ...registry import TRANSFORMS
from .base import BaseTransform
from .cutout import Cutout
from .formatting import PackInputs
from .loading import LoadImage
from .names import TORCHVISION_TRANSFORMS

TRANSFORMS.register_lazily(**{
    name: 'ltkit.datasets.transforms.torchvision_transforms'
    for name in ('CIFARAutoAugment', *(f'torchvision/{name}' for name in TORCHVISION_TRANSFORMS))
})

__all__ = ['BaseTransform', 'Cutout', 'LoadImage', 'PackInputs', 'TORCHVISION_TRANSFORMS']
