"""Stop at a loss that is not finite."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltkit.registry import HOOKS
from ltkit.utils.errors import TrainingError


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop training when a loss term is NaN or infinite.

    The message has the iteration, all loss terms and the learning rate. On a
    GPU the flag is read every ``interval`` iterations and before each
    checkpoint, so that no step waits for the device; on the CPU at every
    iteration. Nor is a checkpoint written whose weights are not finite: the last
    one stays good.

    Args:
        interval (int): Iterations between two reads on a GPU. Defaults to 50.
    """

    priority = 'ABOVE_NORMAL'

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self._first_bad: torch.Tensor | None = None
        self._terms: dict[str, Any] = {}

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        terms = {key: value for key, value in (outputs or {}).items() if 'loss' in key}
        if not terms:
            return
        values = [value if torch.is_tensor(value) else torch.tensor(float(value)) for value in terms.values()]
        total = torch.stack([value.detach().double().mean().to(values[0].device) for value in values])
        bad = ~torch.isfinite(total).all()
        if self._first_bad is None:
            self._first_bad = torch.full((), -1, dtype=torch.int64, device=total.device)
        now = torch.full_like(self._first_bad, runner.iter)
        self._first_bad = torch.where(bad & (self._first_bad < 0), now, self._first_bad)
        self._terms = terms
        if total.device.type == 'cpu' or self.every_n_train_iters(runner, self.interval):
            self._check(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        self._check(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        self._check(runner)
        for name, value in checkpoint['state_dict'].items():
            if value.is_floating_point() and not torch.isfinite(value).all():
                raise TrainingError(
                    f'{name} is not finite after iteration {runner.iter} although the loss still was; no '
                    f'checkpoint is written, {self._kept(runner)}; try a lower learning rate, warm-up or '
                    'clip_grad')

    def _check(self, runner: Runner) -> None:
        if self._first_bad is None or int(self._first_bad) < 0:
            return
        iteration = int(self._first_bad)
        epoch = iteration // len(runner.train_dataloader)  # also where the loop counts iterations
        terms = ', '.join(f'{key}={float(value):.4g}' for key, value in self._terms.items())
        rates = sorted({rate for rates in runner.optim_wrapper.get_lr().values() for rate in rates})
        raise TrainingError(
            f'the loss is not finite at iteration {iteration + 1} (epoch {epoch + 1}): {terms}; '
            f"learning rate {', '.join(f'{rate:g}' for rate in rates)}; {self._kept(runner)}; try a lower "
            'learning rate, warm-up or clip_grad')

    @staticmethod
    def _kept(runner: Runner) -> str:
        last = runner.last_own_checkpoint()
        return f'the last good checkpoint is {last}' if last else 'there is no checkpoint of this run yet'
