"""Save and stop when a cluster asks for it."""

from __future__ import annotations

import os
from typing import Any

import torch
import torch.distributed as torch_dist
from mmengine.dist import barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ltkit.registry import HOOKS
from ltkit.utils.checkpoint import INTERRUPTED
from ltkit.utils.errors import Interrupted

from .checkpoint_hook import write_last_checkpoint
from .sync_statistics_hook import SyncStatisticsHook


@HOOKS.register_module()
class PreemptionHook(Hook):
    """End training on SIGTERM or SIGUSR1 with a checkpoint to resume from.

    The current optimiser step is finished, ``interrupted.pth`` written, and
    :class:`~ltkit.utils.errors.Interrupted` raised, with which the tools exit with
    status 75. A resumed run ends with the same weights as one without the signal.
    During validation the signal waits for its end, and with a sampler that cannot
    begin in the middle of an epoch (one that is not of ltkit) for that of the epoch.

    All processes of a run stop at the same step, whichever of them got the
    signal. Processes on CPUs agree at each iteration. On GPUs they do at every
    ``interval``-th, and read there what they summed at the one before, so that no
    step waits for the device.

    Args:
        interval (int): Iterations between two agreements on GPUs, > 0. A signal
            is answered within twice as many. Defaults to 10.
    """

    priority = 'LOWEST'

    def __init__(self, interval: int = 10) -> None:
        self.interval = interval
        self._calls = 0
        self._stop = False
        self._pending: tuple[torch.Tensor, torch.cuda.Event] | None = None

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        self._stop = self._stop or self._agreed(runner)
        done = runner.iter + 1
        if not self._stop or done % runner._accumulation():
            return
        loader = runner.train_dataloader
        if isinstance(runner.train_loop, EpochBasedTrainLoop) and (
                done % len(loader) == 0 or not hasattr(loader.batch_sampler, 'skip')):
            return  # the end of the epoch comes first
        self._end(runner, epoch=runner.epoch, iteration=done)

    def after_train_epoch(self, runner: Runner) -> None:
        if self._stop and isinstance(runner.train_loop, EpochBasedTrainLoop):
            self._end(runner, epoch=runner.epoch + 1, iteration=runner.iter)

    def _agreed(self, runner: Runner) -> bool:
        """Whether any process got a signal; the same answer in all of them."""
        received = runner.stop_signals.received is not None
        if get_world_size() == 1:
            return received
        if torch_dist.get_backend() != 'nccl':
            flag = torch.tensor(int(received))
            torch_dist.all_reduce(flag)
            return bool(flag)
        self._calls += 1
        if self._calls % self.interval:
            return False
        return self._agreed_on_gpus(received)

    def _agreed_on_gpus(self, received: bool) -> bool:
        stop = False
        if self._pending is not None:
            total, event = self._pending
            event.synchronize()  # recorded ``interval`` iterations ago
            stop = bool(total)
        flag = torch.tensor(int(received)).pin_memory().to('cuda', non_blocking=True)
        torch_dist.all_reduce(flag)
        total, event = torch.empty_like(flag, device='cpu', pin_memory=True), torch.cuda.Event()
        total.copy_(flag, non_blocking=True)
        event.record()
        self._pending = total, event
        return stop

    def _end(self, runner: Runner, epoch: int, iteration: int) -> None:
        SyncStatisticsHook.average(runner)
        folder = next((hook.out_dir for hook in runner.hooks if getattr(hook, 'out_dir', None)), runner.work_dir)
        runner.save_checkpoint(folder, INTERRUPTED, meta=dict(epoch=epoch, iter=iteration), by_epoch=False)
        path = os.path.join(folder, INTERRUPTED)
        if is_main_process():
            write_last_checkpoint(runner.work_dir, path)
        barrier()  # a launcher ends all processes when the first has ended
        why = runner.stop_signals.received or 'a signal to another process'
        raise Interrupted(f'{why}: saved after iteration {iteration} in {path}; --resume continues there')
