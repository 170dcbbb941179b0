"""The form of a transform."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class BaseTransform(ABC):
    """A callable from results to results.

    The same form as mmcv's base class, which is not used as it imports OpenCV.
    Randomness comes from ``torch``, ``numpy.random`` or ``random``; all three
    are seeded for each sample.
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        return self.transform(results)

    @abstractmethod
    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change and return ``results``."""


def named(results: dict[str, Any]) -> str:
    """What to call the image of ``results`` in a message: its line in a list and its file, or its number."""
    line = f'{results["ann_line"]}: ' if results.get('ann_line') else ''
    if results.get('img_path'):
        return f'{line}image {results["img_path"]}'
    return f'{line}image {results["sample_idx"]}' if 'sample_idx' in results else f'{line}an image'
