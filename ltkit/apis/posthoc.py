"""Post-hoc rules on a trained checkpoint, and a sweep over the strength of one with a single evaluation."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from ltkit.distribution_aware import DistributionAware
from ltkit.models.posthoc import apply_rules, need_features
from ltkit.registry import POSTHOC
from ltkit.utils.errors import ConfigError, did_you_mean
from ltkit.utils.files import whole_file
from ltkit.utils.provenance import provenance
from ltkit.visualization import plot_sweep, results_table

from .arguments import option_value
from .posthoc_fit import LogitTap, PosthocFit
from .run import test_runner

MAX_VALUES = 1000
SHOWN = ('top1', 'many', 'medium', 'few', 'mean_class', 'ece', 'nll')


def parse_rule(words: Sequence[str]) -> dict[str, Any]:
    """``['LogitAdjustment', 'tau=1.5']`` to ``dict(type='LogitAdjustment', tau=1.5)``.

    Raises:
        ConfigError: There is no name, or an argument is not ``KEY=VALUE``.
    """
    name, *arguments = words
    if '=' in name:
        raise ConfigError(f"--posthoc: '{name}' stands where the name of a rule is expected; write for example "
                          '--posthoc LogitAdjustment tau=1.0')
    rule: dict[str, Any] = dict(type=name)
    for argument in arguments:
        key, equals, value = argument.partition('=')
        if not key or not equals:
            raise ConfigError(f"--posthoc: '{argument}' is not KEY=VALUE; write it without spaces around =, as tau=1.0")
        rule[key] = option_value(value)
    return rule


def parse_sweep(text: str) -> tuple[str, list[float]]:
    """``tau=0:2:0.5`` (start, last, step) or ``tau=0,0.5,2`` to the argument and its values.

    Raises:
        ConfigError: It is neither, has no value, or more than 1,000.
    """
    key, equals, given = text.partition('=')
    try:
        if not key or not equals:
            raise ValueError
        if ':' in given:
            start, last, step = map(float, given.split(':'))
            count = (last - start) / step  # of steps; the last value is one of them when it lies on the grid
            if not 0 <= count < MAX_VALUES:
                raise ValueError
            return key, [round(start + i * step, 10) for i in range(int(count + 1e-9) + 1)]
        return key, [float(value) for value in given.split(',')]
    except (ValueError, ZeroDivisionError):
        raise ConfigError(f"--sweep: '{text}' is not KEY=START:LAST:STEP (at most {MAX_VALUES:,} values) or "
                          'KEY=VALUE,VALUE,...; write for example tau=0:2:0.25') from None


class LogitStore(Hook):
    """Keeps the logits before the post-hoc rules, and the samples, of an evaluation; on the host.

    The rules of the head are taken out for its duration. The features are kept as
    well where one of the rules needs them.
    """

    def __init__(self) -> None:
        self.batches: list[tuple[Tensor, Tensor | None, Any]] = []
        self.head: nn.Module | None = None
        self._rules = nn.ModuleList()
        self._latest: tuple[Tensor, Tensor | None] | None = None

    def before_test_epoch(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.head, self.batches = model.head, []
        self._rules = model.head.posthoc
        model.head.posthoc = nn.ModuleList([LogitTap(self.keep, need_features(self._rules))])

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.batches.append((*self._latest, outputs))

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self.head.posthoc = self._rules

    def keep(self, logits: Tensor, features: Tensor | None = None) -> None:
        """Take the logits ``(N, C)`` of a batch, and its features ``(N, d)``."""
        self._latest = logits.detach().cpu(), None if features is None else features.detach().cpu()


def sweep_posthoc(cfg: Config, checkpoint: str, argument: str, values: Sequence[float]) -> dict[str, Any]:
    """Evaluate a checkpoint once, then its stored logits under each strength of the last post-hoc rule.

    Every process of a distributed run has to call it; the metrics are exact as
    in a test. A strength that was chosen on the test set does not belong into a
    table: choose it on a held-out part.

    Args:
        cfg (Config): With the rules in ``model.head.posthoc``.
        checkpoint (str): Path of the checkpoint.
        argument (str): Of the last rule.
        values (Sequence[float]): What it is set to.

    Returns:
        dict: What was written into ``<work_dir>/posthoc_sweep.json``: the
        ``rules``, ``argument``, ``sweep`` (a list of ``value`` and ``metrics``),
        ``without`` (the metrics without any rule), ``posthoc_fit`` where a rule
        before the last was fitted, and what made them.

    Raises:
        ConfigError: There is no rule, or it does not take the argument.
    """
    rules = cfg.model.head.get('posthoc') or []
    rules = [dict(rule) for rule in (rules if isinstance(rules, (list, tuple)) else [rules])]
    if not rules:
        raise ConfigError('a sweep needs a post-hoc rule; add for example --posthoc LogitAdjustment')
    known = list(inspect.signature(POSTHOC.get(rules[-1]['type'])).parameters)
    if argument not in known:
        raise ConfigError(f"--sweep: {rules[-1]['type']} has no argument '{argument}'{did_you_mean(argument, known)}")
    cfg.model.head.posthoc = [*rules[:-1], {**rules[-1], argument: values[0]}]  # what is swept needs no fit
    cfg.default_hooks = dict(cfg.get('default_hooks') or {}, results=None)
    runner, store = test_runner(cfg, checkpoint), LogitStore()
    runner.register_hook(store, priority='LOWEST')
    without = runner.test()
    evaluator, size = runner.test_loop.evaluator, len(runner.test_dataloader.dataset)
    distribution = next((part.class_distribution for part in (*store.head.modules(), *evaluator.metrics)
                         if isinstance(part, DistributionAware) and part.has_class_counts), None)
    swept = []
    for value in values:
        chain = store.head.build_posthoc([*rules[:-1], {**rules[-1], argument: value}])
        for rule, own in zip(chain[:-1], store.head.posthoc):
            rule.load_state_dict(own.state_dict())  # with what was fitted
        for rule in chain:
            if isinstance(rule, DistributionAware) and not rule.class_counts_given and distribution is not None:
                rule.set_class_distribution(distribution)
        swept.append(dict(value=value, metrics=_evaluate(chain, store, evaluator, size)))
    results = dict(
        config=cfg.filename, checkpoint=checkpoint, rules=rules, argument=argument, sweep=swept, without=without,
        thresholds=None if distribution is None else distribution.thresholds, **provenance())
    fitted = [entry for hook in runner.hooks if isinstance(hook, PosthocFit) for entry in hook.fitted]
    if fitted:
        results['posthoc_fit'] = fitted
    if is_main_process():
        draw_sweep(results, runner.work_dir)
        path = os.path.join(runner.work_dir, 'posthoc_sweep.json')
        with whole_file(path) as part, open(part, 'w', encoding='utf-8') as file:
            json.dump(results, file, indent=1)
    return results


def draw_sweep(results: dict[str, Any], folder: str) -> None:
    """Write ``posthoc_sweep.png``: accuracy, overall and of the groups, against the strength."""
    lines = {title: [entry['metrics'][f'accuracy/{key}'] for entry in results['sweep']]
             for key, title in dict(top1='all', many='many', medium='medium', few='few').items()
             if all(f'accuracy/{key}' in entry['metrics'] for entry in results['sweep'])}
    if lines:
        rule = results['rules'][-1]['type']
        plot_sweep([entry['value'] for entry in results['sweep']], lines, os.path.join(folder, 'posthoc_sweep.png'),
                   f"{results['argument']} of {rule}", results['thresholds'])


def sweep_table(results: dict[str, Any]) -> str:
    """The sweep as a table: a row a strength, below one without the rules."""
    def row(name: str, metrics: dict[str, float]) -> dict[str, Any]:
        short = {key.rpartition('/')[2]: value for key, value in metrics.items()}
        return dict(name=name, **{key: short[key] for key in SHOWN if key in short})

    rows = [row('no rule', results['without'])]
    rows += [row(f"{results['argument']}={entry['value']:g}", entry['metrics']) for entry in results['sweep']]
    return results_table(rows, columns=SHOWN, thresholds=results['thresholds'])


@torch.no_grad()
def _evaluate(rules: nn.ModuleList, store: LogitStore, evaluator: Any, size: int) -> dict[str, float]:
    for logits, features, samples in store.batches:
        logits = apply_rules(rules.eval(), logits, features)
        evaluator.process(data_samples=store.head.to_samples(logits, samples), data_batch=None)
    return evaluator.evaluate(size)
