"""Make running statistics those of whole batches on any number of processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.dist import all_reduce_params, get_world_size
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm

from ltkit.registry import HOOKS


@HOOKS.register_module()
class SyncStatisticsHook(Hook):
    """Average running statistics over the processes: of batch normalisation, and what modules name.

    Each process normalises its own part of a batch and keeps its own running
    mean and variance. They are averaged at the end of each epoch, before each
    evaluation and (by ``CheckpointHook``) before each checkpoint by iterations, so
    that all processes test one model, and the checkpoint holds that model.
    ``SyncBatchNorm`` has them in common already, and frozen ones stay as they are.

    A module with running means of its own names their buffers in
    ``averaged_buffers``. Weighted sums of batch means come out as in one process
    that has the whole batches. It may have ``begin_batch(learning_rate, position,
    batches)``: called before each batch of training with the learning rate of its
    parameters (the first of the model if none of them is trained), and which of the
    accumulated micro-batches of a step it is.
    """

    priority = 'NORMAL'  # before CheckpointHook
    _told: Sequence[tuple[Any, dict[str, Any]]] = ()

    def before_train(self, runner: Runner) -> None:
        self._told = [(module, _parameter_group(runner.optim_wrapper, module)) for module in runner.model.modules()
                      if callable(getattr(module, 'begin_batch', None))]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        batches = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        for module, group in self._told:
            module.begin_batch(float(group['lr']), runner.iter % batches, batches)

    def after_train_epoch(self, runner: Runner) -> None:
        self.average(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        self.average(runner)

    @staticmethod
    def average(runner: Runner) -> None:
        """Average them now; every process has to call it."""
        if get_world_size() == 1:
            return
        statistics = [buffer for module in runner.model.modules() for buffer in _statistics(module)]
        if statistics:
            all_reduce_params(statistics, op='mean')


def _statistics(module: nn.Module) -> list[Tensor]:
    if getattr(module, 'statistics_frozen', False):
        return []
    if isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm):
        return [buffer for buffer in (module.running_mean, module.running_var) if buffer is not None]
    return [getattr(module, name) for name in getattr(module, 'averaged_buffers', ())]


def _parameter_group(optim_wrapper: Any, module: nn.Module) -> dict[str, Any]:
    """That of a module's parameters, or the first."""
    wrappers = optim_wrapper.values() if isinstance(optim_wrapper, OptimWrapperDict) else (optim_wrapper, )
    groups = [group for wrapper in wrappers for group in wrapper.optimizer.param_groups]
    own = {id(parameter) for parameter in module.parameters()}
    return next((group for group in groups if any(id(parameter) in own for parameter in group['params'])), groups[0])
