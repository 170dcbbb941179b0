"""Keep the running statistics of a frozen part."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from ltkit.engine.freezing import frozen_statistics
from ltkit.registry import HOOKS


@HOOKS.register_module()
class FrozenStatisticsHook(Hook):
    """Hold the batch normalisations of ``frozen.statistics`` in evaluation mode while the rest trains.

    The Runner adds it when a config has ``frozen.statistics``.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._modules: list[nn.Module] = []

    def before_train(self, runner: Runner) -> None:
        self._modules = frozen_statistics(runner.model)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        for module in self._modules:  # model.train() has just switched them on
            module.training = False
