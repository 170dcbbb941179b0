"""Pick one batch augment a batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ltkit.registry import BATCH_AUGMENTS
from ltkit.utils.errors import ConfigError


class RandomBatchAugment(nn.Module):
    """Applies one of several batch augments, drawn anew for each batch.

    The draw is taken from Python's global generator.

    Args:
        augments (dict, Callable or list of them): What is called as
            ``augment(inputs, scores) -> (inputs, scores)``, inputs ``(N, C, H,
            W)``, scores one-hot or soft ``(N, C)``.
        probs (Sequence[float], optional): Probability of each; what is missing
            to 1 is the probability of none. Evenly by default.

    Raises:
        ConfigError: No augment, or probabilities that are not as many, are
            negative or sum to over 1.
    """

    def __init__(self,
                 augments: dict | Any | Sequence[Any],
                 probs: float | Sequence[float] | None = None) -> None:
        super().__init__()
        augments = list(augments) if isinstance(augments, (list, tuple)) else [augments]
        if not augments:
            raise ConfigError('train_cfg.augments is empty; name at least one batch augment or leave it out')
        self.augments = [BATCH_AUGMENTS.build(a) if isinstance(a, dict) else a for a in augments]
        for i, augment in enumerate(self.augments):
            if isinstance(augment, nn.Module):  # so that class counts and epochs reach it
                self.add_module(str(i), augment)
        self.probs = self._checked([probs] if isinstance(probs, (int, float)) else probs)

    def _checked(self, probs: Sequence[float] | None) -> list[float]:
        count = len(self.augments)
        if probs is None:
            return [1 / count] * count
        probs = [float(p) for p in probs]
        if len(probs) != count:
            raise ConfigError(f'train_cfg.probs has {len(probs)} values for {count} augments; one each')
        if min(probs) < 0 or sum(probs) > 1 + 1e-6:
            raise ConfigError(f'train_cfg.probs must be from 0 on and sum to at most 1, but is {probs}')
        return probs

    def forward(self, inputs: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Augment one batch, or leave it as it is."""
        draw, edge = random.random(), 0.0
        for augment, prob in zip(self.augments, self.probs):
            edge += prob
            if draw < edge:
                return augment(inputs, scores)
        if sum(self.probs) > 1 - 1e-6:  # a draw above the rounded sum
            return self.augments[-1](inputs, scores)
        return inputs, scores
