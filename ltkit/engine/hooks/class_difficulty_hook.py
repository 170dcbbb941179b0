"""Measure how hard each class is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import IterBasedTrainLoop, Runner

from ltkit.evaluation.metrics import LongTailAccuracy
from ltkit.registry import HOOKS
from ltkit.utils.errors import ConfigError, DataError


@HOOKS.register_module()
class ClassDifficultyHook(Hook):
    """Tell the model after each validation how many images of each class it got wrong.

    The difficulty of a class is 1 - its accuracy on the validation set, as the
    ``LongTailAccuracy`` of ``val_evaluator`` has measured it, the same on all
    processes. Every module of the model that has ``set_difficulty`` is told, as
    ``ClassDifficultyBalancedLoss``.

    It has to be the difficulty at the end of each epoch, so validation is after
    every epoch (``val_interval=1``). The images must not be those of the test
    set, which would be trained on: hold some out (``held_out`` of the data sets
    that are made long-tailed), or use the official validation set. They should
    be as many of each class.

    The checkpoint of an epoch is written before its validation. So a run that is
    resumed from one validates once before it goes on, and is exact.

    Raises:
        ConfigError: (At the start of training) There is no validation, or not
            after every epoch, or without ``LongTailAccuracy``, or on the images of
            the test set; or nothing in the model takes the difficulties.
        DataError: A class has no validation image.
    """

    priority = 'LOW'  # after EMAHook, which exchanges the buffers of the model for the time of a validation

    def before_train(self, runner: Runner) -> None:
        """Check the config; measure what a checkpoint could not hold yet."""
        self._check(runner)
        if runner.iter > 0 and runner.iter % len(runner.train_dataloader) == 0:
            print_log('validating, since the checkpoint is older than the validation of its epoch', 'current')
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Hand out the difficulties."""
        accuracy = next(metric.per_class for metric in runner.val_loop.evaluator.metrics
                        if isinstance(metric, LongTailAccuracy))
        unseen = np.flatnonzero(np.isnan(accuracy))
        if unseen.size:
            raise DataError(f'ClassDifficultyHook: class {unseen[0]} has no validation image ({unseen.size} such '
                            'classes), so nobody knows how hard it is; validate on images of each class')
        for module in _modules(runner):
            module.set_difficulty(1 - accuracy / 100)

    def _check(self, runner: Runner) -> None:
        if not _modules(runner):
            raise ConfigError('ClassDifficultyHook finds nothing in the model that takes the difficulty of classes; '
                              "set model.head.loss=dict(type='ClassDifficultyBalancedLoss')")
        if runner._val_loop is None:
            raise ConfigError('ClassDifficultyHook needs a validation set; give val_dataloader, val_cfg and '
                              'val_evaluator')
        if not any(isinstance(metric, LongTailAccuracy) for metric in runner.val_loop.evaluator.metrics):
            raise ConfigError('ClassDifficultyHook reads the accuracy of each class from LongTailAccuracy; add it to '
                              'val_evaluator')
        self._check_interval(runner)
        images, of_test = (_images(runner.cfg.get(key)) for key in ('val_dataloader', 'test_dataloader'))
        if 'test' in _splits(runner.val_dataloader.dataset) or (images is not None and images == of_test):
            raise ConfigError('ClassDifficultyHook would train on the test set, which val_dataloader has; hold images '
                              "out of the training set (held_out=10 there, split='held_out', held_out=10 in "
                              'val_dataloader.dataset), or use a validation set')

    @staticmethod
    def _check_interval(runner: Runner) -> None:
        loop = runner.train_loop
        by_iterations = isinstance(loop, IterBasedTrainLoop)
        epoch = len(runner.train_dataloader) if by_iterations else 1
        unit = ' iterations, an epoch' if by_iterations else ''
        for name, value in (('val_interval', loop.val_interval), ('val_begin', loop.val_begin),
                            *(('dynamic_intervals', value) for value in loop.dynamic_intervals or ())):
            if value > epoch or (name != 'val_begin' and value != epoch):
                raise ConfigError(f'ClassDifficultyHook needs a validation after every epoch; set train_cfg.{name}='
                                  f'{epoch}{unit} (it is {value})')


def _modules(runner: Runner) -> list[Any]:
    """What takes difficulties."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return [module for module in model.modules() if callable(getattr(module, 'set_difficulty', None))]


def _splits(dataset: Any) -> Iterator[str]:
    """The splits of a data set and of those that it wraps."""
    if isinstance(getattr(dataset, 'split', None), str):
        yield dataset.split
    for inner in [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', ())]:
        if inner is not None:
            yield from _splits(inner)


def _images(dataloader: dict[str, Any] | None) -> dict[str, Any] | None:
    """Which images a data loader of the config has: its data set without the pipeline."""
    dataset = (dataloader or {}).get('dataset')
    return {key: value for key, value in dataset.items() if key != 'pipeline'} if isinstance(dataset, dict) else None
