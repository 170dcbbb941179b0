"""Parts of the model that bring their weights back into a set after each step."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ltkit.registry import HOOKS


@HOOKS.register_module()
class ProjectionHook(Hook):
    """Call ``project()`` of every module that has it, after each step of the optimizer.

    So that a part can constrain weights, as ``MaxNorm``: projected gradient descent.
    After an iteration that only accumulates a gradient it is not called, and for a
    part whose attribute ``every`` is ``'epoch'`` only after the last step of an epoch.
    ``begin_projection()``, where a part has it, is called before the first step of
    all, with the weights that training begins with; what it finds belongs into a
    buffer, since a resumed run does not call it again.

    All processes have the same weights, so each does the same without a word.
    """

    priority = 'ABOVE_NORMAL'  # before EMAHook takes the weights

    def __init__(self) -> None:
        self._parts: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self._parts = [module for module in model.modules() if callable(getattr(module, 'project', None))]
        for part in self._parts:
            if runner.iter == 0 and hasattr(part, 'begin_projection'):
                part.begin_projection()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict | None = None) -> None:
        if not self._parts:
            return
        wrapper = runner.optim_wrapper
        if hasattr(wrapper, 'should_update') and not wrapper.should_update():
            return
        ends_epoch = (runner.iter + 1) % len(runner.train_dataloader) == 0
        for part in self._parts:
            if ends_epoch or getattr(part, 'every', 'step') == 'step':
                part.project()
