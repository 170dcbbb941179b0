"""Give metrics the features that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ltkit.registry import HOOKS


@HOOKS.register_module()
class FeaturesForMetricsHook(Hook):
    """Let the model give ``features`` with its predictions where a metric has ``needs_features = True``.

    Such a metric is also told the rows of the classifier, ``(C, d)`` or None, by
    ``set_classifier(weight)`` if it has that. Without such a metric nothing changes,
    and nothing is copied from the device.
    """

    priority = 'LOW'  # after EMAHook, which exchanges the weights for the time of a validation

    def before_val_epoch(self, runner: Runner) -> None:
        give_features(runner.model, runner.val_loop.evaluator.metrics)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        give_features(runner.model, ())

    def before_test_epoch(self, runner: Runner) -> None:
        give_features(runner.model, runner.test_loop.evaluator.metrics)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        give_features(runner.model, ())


def give_features(model: Any, metrics: Sequence[Any]) -> None:
    """Switch features in the predictions of a model on, or off where no metric asks for them.

    Args:
        model (nn.Module): It has ``predicts_features``, or is left as it is.
        metrics (Sequence): Of the evaluation that follows.
    """
    model = model.module if is_model_wrapper(model) else model
    asking = [metric for metric in metrics if getattr(metric, 'needs_features', False)]
    if hasattr(model, 'predicts_features'):
        model.predicts_features = bool(asking)
    rows = getattr(getattr(model, 'head', None), 'class_vectors', None)
    for metric in asking:
        if callable(getattr(metric, 'set_classifier', None)):
            metric.set_classifier(rows() if callable(rows) else None)
