"""Random numbers that a resumed run draws again."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltkit.registry import HOOKS


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seed Python, NumPy and torch from (seed, iteration) before each iteration.

    What a step draws (dropout, mixup, ...) then depends on the seed and the
    iteration alone, not on validation in between or on when the process was
    started: a run that was killed and resumed equals one that never was. About
    20 microseconds an iteration. All processes draw the same numbers unless
    ``randomness=dict(diff_rank_seed=True)``.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        self._seed(runner, stream=0)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self._seed(runner, stream=1)

    @staticmethod
    def _seed(runner: Runner, stream: int) -> None:
        rank = runner.rank if runner._randomness_cfg.get('diff_rank_seed', False) else 0
        sequence = np.random.SeedSequence([runner.seed % 2**32, runner.iter, stream, rank])
        words = sequence.generate_state(4)
        random.seed(int(words[0]))
        np.random.seed(words[1])  # noqa: NPY002 (the global generator is what augmentations draw from)
        torch.manual_seed(int(words[2]) << 32 | int(words[3]))
