"""Keep the result of a run as data that says how it was made."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from ltkit.engine.data import has_test_set_of_its_own
from ltkit.registry import HOOKS
from ltkit.utils.checkpoint import whole_file
from ltkit.utils.errors import DataError
from ltkit.utils.provenance import provenance


@HOOKS.register_module()
class ResultsHook(Hook):
    """Write ``results.json`` into the work folder when a run ends.

    It holds the metrics of the last epoch (never the best one, which would
    select on the evaluation set) on the test set: where the validation set is
    another, such as a held-out part, the end of training evaluates the test set,
    and what validation gave stands under ``validation``. It also holds per-class
    accuracy where the metric has it, the ``details`` of metrics by their prefix
    (the bins of a reliability diagram, the predicted prior), and what made them:
    config, seed, processes, versions, commit and seconds of the whole training.
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}
        self._began = time.perf_counter()
        self._first_iteration = 0
        self._loaded_epoch: int | None = None
        self._ends_training = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        self._loaded_epoch = (checkpoint.get('meta') or {}).get('epoch')

    def before_train(self, runner: Runner) -> None:
        self._began = time.perf_counter()
        self._first_iteration = runner.iter

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._keep(runner, 'val', metrics)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._keep(runner, 'test', metrics)
        if self._ends_training:
            return
        self.results.update(epoch=self._loaded_epoch, checkpoint=runner._load_from)
        self._write(runner, 'test_results.json')

    def after_train(self, runner: Runner) -> None:
        nothing_trained = runner.iter == self._first_iteration
        if nothing_trained and 'metrics' not in self.results and runner.val_loop is not None:
            runner.val_loop.run()  # resumed after the last epoch, perhaps killed before its evaluation
        self.results['seconds'] = round(time.perf_counter() - self._began, 2)
        self.results.update(resumed=self._first_iteration > 0, selected_on='last epoch')
        if has_test_set_of_its_own(runner.cfg):
            self._test(runner)
        self._write(runner, 'results.json')

    def _test(self, runner: Runner) -> None:
        """Evaluate the last weights on the test set; where it is not there, the results are of the validation set."""
        validation = dict(split='val', metrics=self.results.get('metrics', {}))
        runner.logger.info('evaluating the test set, which is another than the validation set')
        self._ends_training = True
        try:
            runner.test_loop.run()
        except (DataError, FileNotFoundError) as error:
            runner.logger.warning(f'the results are of the validation set, for the test set cannot be read: {error}')
        else:
            self.results['validation'] = validation
        self._ends_training = False

    def _keep(self, runner: Runner, split: str, metrics: dict[str, float] | None) -> None:
        loop = runner._val_loop if split == 'val' else runner._test_loop
        self.results.update(split=split, epoch=_epochs(runner), metrics=metrics or {}, details={})
        for metric in loop.evaluator.metrics:
            if getattr(metric, 'details', None):
                self.results['details'][metric.prefix] = metric.details
            per_class = getattr(metric, 'per_class', None)
            if per_class is not None:
                self.results['per_class_accuracy'] = [
                    None if value != value else float(value) for value in per_class]
            if getattr(metric, 'has_class_counts', False):
                distribution = metric.class_distribution
                self.results['class_counts'] = distribution.counts.tolist()
                self.results['class_distribution'] = distribution.to_dict()
                self.results['thresholds'] = distribution.thresholds

    @master_only
    def _write(self, runner: Runner, name: str) -> None:
        self.results.update(
            name=run_name(runner), config=_relative(runner.cfg.filename), seed=runner.seed,
            processes=runner.world_size, **provenance())
        path = os.path.join(runner.work_dir, name)
        with whole_file(path) as part, open(part, 'w', encoding='utf-8') as file:
            json.dump(self.results, file, indent=1)


def _epochs(runner: Runner) -> int:
    """Whole epochs so far, also where the loop counts iterations alone."""
    loop = runner._train_loop
    return runner.iter // len(loop.dataloader) if isinstance(loop, IterBasedTrainLoop) else runner.epoch


def run_name(runner: Runner) -> str:
    """``method/config`` of ``configs/method/config.py``."""
    path = Path(runner.cfg.filename or runner.experiment_name)
    return f'{path.parent.name}/{path.stem}' if path.parent.name else path.stem


def _relative(path: str | None) -> str | None:
    """A path below the current folder without that folder."""
    return None if path is None else path.removeprefix(os.path.join(os.getcwd(), ''))
