"""Tell parts of the model which epoch begins."""

from __future__ import annotations

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ltkit.registry import HOOKS


@HOOKS.register_module()
class EpochHook(Hook):
    """Call ``set_epoch(epoch, max_epochs)`` of every module that has it.

    Deferred re-weighting and all that changes over training depends on the
    0-based epoch alone and keeps no other state: a resumed run is exact.
    """

    priority = 'HIGH'

    def before_train(self, runner: Runner) -> None:
        self._told: int | None = None

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        steps = len(runner.train_dataloader)  # of one epoch, also where the loop counts iterations
        epoch = runner.iter // steps
        if epoch == self._told:
            return
        self._told = epoch
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        for module in model.modules():
            if callable(getattr(module, 'set_epoch', None)):
                module.set_epoch(epoch, math.ceil(runner.max_iters / steps))
