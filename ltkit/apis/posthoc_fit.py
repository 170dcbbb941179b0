"""Post-hoc rules that are fitted to held-out samples before a test."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from ltkit.distribution import ClassDistribution
from ltkit.evaluation.functional.calibration import brier_scores, top_label
from ltkit.evaluation.metrics import Calibration
from ltkit.evaluation.metrics.base import LongTailMetric
from ltkit.evaluation.metrics.growing_records import Records
from ltkit.models.posthoc import PosthocRule
from ltkit.utils.errors import ConfigError

from .held_out import advice, check_held_out

SHOWN = ('nll', 'ece')


class PosthocFit(Hook):
    """Before a test, fits the post-hoc rules that need it to ``val_dataloader``.

    The held-out samples go through the model once. Each rule is fitted to what the
    rules before it make of the logits. On several processes all see all samples,
    each once, in one order, and so find the same. What was found, with NLL and ECE
    (in percent) of the held-out samples before and after, is logged, and written
    into the results of the test as ``posthoc_fit``.

    Args:
        cfg (Config): With the data loaders of training, validation and test.

    Raises:
        ConfigError: There are no held-out samples; see
            :func:`.held_out.check_held_out`.
    """

    def __init__(self, cfg: Config) -> None:
        self.loaders = {name: copy.deepcopy(cfg.get(f'{name}_dataloader')) for name in ('train', 'val', 'test')}
        self.fitted: list[dict[str, Any]] = []
        self._trained_on: ClassDistribution | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        stored = (checkpoint.get('meta') or {}).get('class_distribution')
        self._trained_on = None if stored is None else ClassDistribution(**stored)

    def before_test(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        head = getattr(model, 'head', None)
        rules = list(getattr(head, 'posthoc', None) or ())
        unfitted = [i for i, rule in enumerate(rules) if getattr(rule, 'needs_fit', False)]
        if not unfitted:
            return
        loader = self._held_out_loader(runner, rules[unfitted[0]])
        logits, labels = collect_logits(runner, loader, head, unfitted[0])
        name = f'{type(loader.dataset).__name__} {getattr(loader.dataset, "split", "")}'.strip()
        for rule in rules[unfitted[0]:]:
            if getattr(rule, 'needs_fit', False):
                self._fit(rule, logits, labels, name)
            logits = _applied(rule, logits)
        for hook in runner.hooks:
            if hasattr(hook, 'results'):
                hook.results['posthoc_fit'] = self.fitted

    def _held_out_loader(self, runner: Runner, rule: PosthocRule) -> Any:
        who = type(rule).__name__
        otherwise = f'give {" and ".join(f"{name}=..." for name in rule.fitted_arguments)}'
        if self.loaders['val'] is None:
            raise ConfigError(f'{who} is fitted to the images of val_dataloader, which the config does not have; '
                              f'{advice(otherwise)}')
        loader = runner.build_dataloader(self.loaders['val'], seed=runner.seed)
        check_held_out(loader.dataset, self.loaders, self._trained_on, who, otherwise)
        return loader

    def _fit(self, rule: PosthocRule, logits: Tensor, labels: Tensor, name: str) -> None:
        before = calibration(logits, labels)
        rule.fit(logits, labels)
        after = calibration(_applied(rule, logits), labels)
        found = {argument: float(getattr(rule, argument)) for argument in rule.fitted_arguments}
        self.fitted.append(dict(type=type(rule).__name__, **found, data=name, samples=len(labels),
                                **{key: [before[key], after[key]] for key in SHOWN}))
        values = ', '.join(f'{key} {value:.6g}' for key, value in found.items())
        print_log(f'{type(rule).__name__}: {values}, fitted to {len(labels):,} held-out images ({name}): '
                  f'NLL {before["nll"]:.4f} -> {after["nll"]:.4f}, ECE {before["ece"]:.2f}% -> {after["ece"]:.2f}%',
                  'current')


class LogitTap(nn.Module):
    """Stands where post-hoc rules do, shows the logits ``(N, C)`` to ``keep`` and changes nothing.

    With ``needs_features`` the features ``(N, d)`` are shown as well.
    """

    def __init__(self, keep: Callable[..., None], needs_features: bool = False) -> None:
        super().__init__()
        self._keep = keep
        self.needs_features = needs_features

    def forward(self, logits: Tensor, **features: Tensor) -> Tensor:
        self._keep(logits, **features)
        return logits


@torch.no_grad()
def collect_logits(runner: Runner, loader: Any, head: nn.Module, rule: int) -> tuple[Tensor, Tensor]:
    """Logits before one of the head's post-hoc rules, and labels, of the samples of all processes.

    Args:
        runner (Runner): With the weights loaded.
        loader (DataLoader): The samples.
        head (nn.Module): Of the model.
        rule (int): Which of its rules.

    Returns:
        tuple: float ``(N, C)`` and int64 ``(N,)``, on the host, in the order of the
        data set, the same on all processes.
    """
    metric = _Logits()
    runner.model.eval()
    with _tapped(head, rule, metric.take):
        for batch in loader:
            metric.process(batch, [sample.to_dict() for sample in runner.model.test_step(batch)])
    metric.evaluate(len(loader.dataset))
    return torch.from_numpy(metric.all['logits']), torch.from_numpy(metric.all['label'])


def calibration(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Metrics of :class:`~ltkit.evaluation.Calibration`: ``nll``, ``ece`` in percent, and others."""
    scores = logits.detach().softmax(1)
    confidence, correct = top_label(scores, labels)
    own = scores.gather(1, labels[:, None])[:, 0].double().numpy()
    return Calibration.calculate(np.minimum(confidence, 1), correct, np.minimum(own, 1),
                                 brier_scores(scores, labels))[0]


class _Logits(LongTailMetric):
    """Gathers logits and labels of all processes, each sample once, in the order of the data set."""

    def take(self, logits: Tensor) -> None:
        self._latest = logits.detach().cpu()

    def record(self, data_samples: Sequence[dict]) -> Records:
        labels = self.stacked_labels(data_samples, self._latest.size(1))
        return dict(label=labels.numpy(), logits=self._latest.numpy())

    def compute(self, records: Records) -> dict[str, float]:
        self.all = records
        return {}


@torch.no_grad()
def _applied(rule: nn.Module, logits: Tensor) -> Tensor:
    """A rule on logits of the host, wherever it is itself."""
    device = next((buffer.device for buffer in rule.buffers()), logits.device)
    return rule(logits.to(device)).to(logits.device)


@contextmanager
def _tapped(head: nn.Module, rule: int, keep: Callable[[Tensor], None]) -> Iterator[None]:
    rules = head.posthoc
    head.posthoc = nn.ModuleList([*rules[:rule], LogitTap(keep)])
    try:
        yield
    finally:
        head.posthoc = rules
