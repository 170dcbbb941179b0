"""Make the statistics of batch normalisation those of all processes."""

from __future__ import annotations

from mmengine.dist import all_reduce_params, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm

from ltkit.registry import HOOKS


@HOOKS.register_module()
class SyncStatisticsHook(Hook):
    """Average the running statistics of batch normalisation over the processes.

    Each process normalises its own part of a batch and keeps its own running
    mean and variance. They are averaged at the end of each epoch, before each
    evaluation and (by ``CheckpointHook``) before each checkpoint by iterations, so
    that all processes test one model, and the checkpoint holds that model.
    ``SyncBatchNorm`` has them in common already.
    """

    priority = 'NORMAL'  # before CheckpointHook

    def after_train_epoch(self, runner: Runner) -> None:
        self.average(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        self.average(runner)

    @staticmethod
    def average(runner: Runner) -> None:
        """Average them now; every process has to call it."""
        if get_world_size() == 1:
            return
        statistics = [buffer for module in runner.model.modules()
                      if isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm)
                      for buffer in (module.running_mean, module.running_var) if buffer is not None]
        if statistics:
            all_reduce_params(statistics, op='mean')
