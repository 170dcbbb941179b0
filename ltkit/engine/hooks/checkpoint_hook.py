"""Save checkpoints, and never be without one."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections import deque
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook as _CheckpointHook
from mmengine.runner import Runner

from ltkit.registry import HOOKS
from ltkit.utils.checkpoint import INTERRUPTED
from ltkit.utils.errors import ConfigError, did_you_mean
from ltkit.utils.files import whole_file

from .sync_statistics_hook import SyncStatisticsHook

_SIGNATURE = inspect.signature(_CheckpointHook.__init__)
_SIGNATURE = _SIGNATURE.replace(parameters=[
    parameter for parameter in _SIGNATURE.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD])
ARGUMENTS = tuple(_SIGNATURE.parameters)[1:]


@HOOKS.register_module()
class CheckpointHook(_CheckpointHook):
    """mmengine's hook, which deletes the outdated checkpoint after the new one is safe.

    Also with ``max_keep_ckpts=1`` there is a whole checkpoint at each moment. A
    run that is killed between the two deletes the outdated one when it is
    resumed. The checkpoint that a signal left (``interrupted.pth``) is deleted by
    the next one. ``last_checkpoint`` is written whole.

    Args:
        **kwargs: As of mmengine's hook, which keeps any other for the first save.

    Raises:
        ConfigError: An argument that the hook does not have, or (at the start of training)
            an ``interval`` that ends in the middle of a step.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.args:
            raise ConfigError(f"CheckpointHook has no argument '{name}'{did_you_mean(name, ARGUMENTS)}")

    __init__.__signature__ = _SIGNATURE  # type: ignore[attr-defined]  # for the check of configs

    def before_train(self, runner: Runner) -> None:
        """See mmengine.

        Raises:
            ConfigError: Checkpoints would be written between the accumulated micro-batches of a step.
        """
        parts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        for name in ('interval', 'save_begin') if not self.by_epoch and self.interval > 0 else ():
            iterations = getattr(self, name)
            if iterations % parts:
                raise ConfigError(
                    f'default_hooks.checkpoint: {name}={iterations} would save in the middle of a step of {parts} '
                    f'accumulated iterations, of which a resumed run would lose a part; use a multiple of {parts}, '
                    f'for example {-(-iterations // parts) * parts}')
        super().before_train(runner)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        if not self.by_epoch:  # at the end of an epoch it has been done
            SyncStatisticsHook.average(runner)
        outdated = []
        if self.max_keep_ckpts > 0:
            kept = [number for number in self.keep_ckpt_ids if number != step] + [step]
            # With the outdated ones, so that a run killed before they are deleted finds them again.
            runner.message_hub.update_info('keep_ckpt_ids', kept)
            outdated, kept = kept[:-self.max_keep_ckpts], kept[-self.max_keep_ckpts:]
            self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir, name, self.file_client_args, save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=self.by_epoch,
            backend_args=self.backend_args, **self.args)
        if self.max_keep_ckpts > 0:
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        if not is_main_process():
            return
        write_last_checkpoint(runner.work_dir, self.last_ckpt)
        names = [INTERRUPTED, *(self.filename_tmpl.format(number) for number in outdated)]
        for path in (os.path.join(self.out_dir, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)


def write_last_checkpoint(work_dir: str, path: str) -> None:
    """State in ``<work_dir>/last_checkpoint`` which file a run resumes from."""
    with whole_file(os.path.join(work_dir, 'last_checkpoint')) as part, \
            open(part, 'w', encoding='utf-8') as file:
        file.write(path)
