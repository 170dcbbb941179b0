"""Hand the class distribution of the training set to all who need it."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import nn

from ltkit.distribution import ClassDistribution
from ltkit.distribution_aware import DistributionAware, distribution_aware_parts
from ltkit.registry import HOOKS
from ltkit.utils.errors import DistributionError


@HOOKS.register_module()
class ClassDistributionHook(Hook):
    """Read the training set's class distribution; nobody types class counts.

    Before training it checks ``num_classes`` of the head against the data and
    gives the distribution to every :class:`DistributionAware` part of the
    model and of the evaluators, except to those that were given counts in the
    config. The distribution travels in the checkpoint, from where a test takes
    it, so that a test needs no training data.
    """

    priority = 'HIGH'

    def __init__(self) -> None:
        self.distribution: ClassDistribution | None = None

    def before_run(self, runner: Runner) -> None:
        if isinstance(runner._train_loop, BaseLoop):  # before EMAHook copies the model
            self.distribution = self._of_training_set(runner)
            self._hand_out(runner)

    def before_train(self, runner: Runner) -> None:
        self.distribution = self._of_training_set(runner)  # not that of a checkpoint which was loaded
        if self.distribution is not None:
            name = type(runner.train_dataloader.dataset).__name__
            print_log(f'training set {name}: {self.distribution!r}', 'current')
            self._check_num_classes(runner, self.distribution, name)
            self._hand_out(runner)

    def _of_training_set(self, runner: Runner) -> ClassDistribution | None:
        """The distribution; None where the data set tells none and nobody needs it."""
        try:
            return ClassDistribution.from_dataset(runner.train_dataloader.dataset)
        except DistributionError as error:
            needy = [f'model.{name}' for name, part in self._parts(runner).items()
                     if not part.class_counts_given]
            needy += [type(metric).__name__ for metric in _metrics(runner)
                      if isinstance(metric, DistributionAware) and not metric.class_counts_given]
            if not needy:
                return None
            raise DistributionError(f'{error} ({", ".join(needy)} needs the class counts)') from error

    def before_val(self, runner: Runner) -> None:
        self._hand_out(runner)

    def before_test(self, runner: Runner) -> None:
        self._hand_out(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        if self.distribution is not None:
            checkpoint['meta']['class_distribution'] = self.distribution.to_dict()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        stored = (checkpoint.get('meta') or {}).get('class_distribution')
        if stored is not None:
            self.distribution = ClassDistribution(**stored)

    def _hand_out(self, runner: Runner) -> None:
        distribution = self.distribution or self._from_buffers(runner)
        if distribution is None:
            return
        for part in self._parts(runner).values():
            if not part.class_counts_given:
                part.set_class_distribution(distribution)
        for metric in _metrics(runner):
            if isinstance(metric, DistributionAware) and not metric.class_counts_given:
                metric.set_class_distribution(distribution)

    def _from_buffers(self, runner: Runner) -> ClassDistribution | None:
        known = (part.class_distribution for part in self._parts(runner).values() if part.has_class_counts)
        return next(known, None)

    @staticmethod
    def _parts(runner: Runner) -> dict[str, DistributionAware]:
        return distribution_aware_parts(_unwrapped(runner))

    @staticmethod
    def _check_num_classes(runner: Runner, distribution: ClassDistribution, dataset: str) -> None:
        for name, module in _unwrapped(runner).named_modules():
            num_classes = getattr(module, 'num_classes', None)
            if name.split('.')[-1] == 'head' and isinstance(num_classes, int) \
                    and num_classes != distribution.num_classes:
                raise DistributionError(
                    f'model.{name}.num_classes is {num_classes}, but the training set {dataset} has '
                    f'{distribution.num_classes} classes; set num_classes={distribution.num_classes}')


def _unwrapped(runner: Runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _metrics(runner: Runner) -> list[Any]:
    loops = (runner._val_loop, runner._test_loop)
    return [metric for loop in loops if hasattr(loop, 'evaluator') for metric in loop.evaluator.metrics]
