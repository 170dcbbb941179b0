"""Follow the few-shot classes over training."""

from __future__ import annotations

import json
import os

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltkit.registry import HOOKS
from ltkit.utils.checkpoint import whole_file
from ltkit.utils.errors import ConfigError


@HOOKS.register_module()
class TailWatchHook(Hook):
    """Keep one metric of every evaluation in ``<work_dir>/tail_watch.json``.

    The best value so far is logged to see how training goes. It was found on the
    evaluation set: the result of a run stays that of its last epoch.

    Args:
        key (str): The metric. Defaults to 'accuracy/few'.

    Raises:
        ConfigError: The evaluation has no such metric.
    """

    def __init__(self, key: str = 'accuracy/few') -> None:
        self.key = key
        self.history: list[dict[str, float]] = []

    def before_train(self, runner: Runner) -> None:
        path = _path(runner)
        rows = []
        if os.path.isfile(path):
            with open(path, encoding='utf-8') as file:
                rows = json.load(file)
        # A resumed run goes on with what came before its epoch; a new one begins anew.
        self.history = [row for row in rows if row['epoch'] <= runner.epoch]

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        metrics = metrics or {}
        if self.key not in metrics:
            raise ConfigError(f"TailWatchHook: there is no metric '{self.key}'; this evaluation has "
                              f"{', '.join(sorted(metrics)) or 'none'}")
        self.history.append({'epoch': runner.epoch, self.key: float(metrics[self.key])})
        best = max(self.history, key=lambda row: row[self.key])
        runner.logger.info(f'TailWatchHook: {self.key} {self.history[-1][self.key]:.2f}, best so far '
                           f"{best[self.key]:.2f} (epoch {best['epoch']})")
        self._write(runner)

    @master_only
    def _write(self, runner: Runner) -> None:
        with whole_file(_path(runner)) as part, open(part, 'w', encoding='utf-8') as file:
            json.dump(self.history, file, indent=1)


def _path(runner: Runner) -> str:
    return os.path.join(runner.work_dir, 'tail_watch.json')
