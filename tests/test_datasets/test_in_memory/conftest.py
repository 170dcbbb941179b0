"""A small data set in memory."""

from __future__ import annotations

import numpy as np
import pytest

from ltkit.datasets import BaseLongTailDataset
from ltkit.datasets.columns import Columns
from ltkit.registry import TRANSFORMS


class SmallImages(BaseLongTailDataset):
    """60 images of 12 x 10 pixels, smooth enough that colour operations differ."""

    CHANNELS = 3

    def load_columns(self) -> Columns:
        rng = np.random.default_rng(0)
        base = rng.integers(0, 256, (60, 1, 1, self.CHANNELS))
        images = np.clip(base + rng.integers(-60, 60, (60, 12, 10, self.CHANNELS)), 0, 255)
        images[0], images[1, :6] = 7, 200  # flat, half flat
        return Columns(np.arange(60) % 3, images=images.astype(np.uint8))


class SmallGrey(SmallImages):
    """The same with one channel."""

    CHANNELS = 1


@pytest.fixture(params=[SmallImages, SmallGrey], ids=['rgb', 'grey'])
def small_images(request):
    """Makes the data set of a pipeline, given without ``PackInputs``."""
    return lambda *transforms: request.param(pipeline=[*transforms, dict(type='PackInputs')])


@pytest.fixture
def build():
    """Builds a transform."""
    return TRANSFORMS.build
