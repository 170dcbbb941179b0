"""Tell parts of the model which epoch begins."""

from __future__ import annotations

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

    def before_train_epoch(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        for module in model.modules():
            if callable(getattr(module, 'set_epoch', None)):
                module.set_epoch(runner.epoch, runner.max_epochs)
