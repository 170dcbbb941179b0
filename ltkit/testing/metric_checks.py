"""What ltkit promises of a metric."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement

from ..distribution import ClassDistribution
from ..distribution_aware import DistributionAware
from ..utils.errors import DistributionError, LtkitError
from .conformance import CheckList, NotApplicable, Part, expect, raised_by
from .distributed import run_distributed
from .module_tools import expect_missing_counts, make_with_counts

CHECKS = CheckList()
COUNTS = (300, 150, 60, 30, 19, 5, 1)
SAMPLES = 43  # no two processes share them evenly
BATCH = 8
FEATURES = 6


def make(part: Part, counts: Any = COUNTS, **overrides: Any) -> Any:
    """A fresh metric with class counts."""
    return make_with_counts(part, counts, **overrides)


def data(part: Part, number: int = SAMPLES, num_classes: int = len(COUNTS), seed: int = 0) -> list[dict]:
    """Data samples as mmengine's ``Evaluator`` passes them."""
    if 'make_samples' in part.options:
        return part.options['make_samples'](number, num_classes, seed)
    rng = np.random.default_rng(seed)
    target = rng.integers(0, num_classes, number)
    logits = rng.normal(size=(number, num_classes)) + 1.5 * np.eye(num_classes)[target]
    scores = torch.softmax(torch.as_tensor(logits), 1).float()
    samples = [dict(pred_score=scores[i], pred_label=scores[i].argmax().reshape(1),
                    gt_label=torch.tensor([int(target[i])]), sample_idx=i) for i in range(number)]
    if getattr(part.target, 'needs_features', False):
        means = rng.normal(size=(num_classes, FEATURES))
        features = torch.as_tensor(means[target] + rng.normal(size=(number, FEATURES))).float()
        samples = [dict(sample, features=features[i]) for i, sample in enumerate(samples)]
    return samples


def evaluate(metric: Any, samples: Sequence[dict], size: int | None = None,
             batch: int = BATCH) -> dict[str, float]:
    """The metrics of samples that come in batches."""
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(len(samples) if size is None else size)


def without_index(samples: Sequence[dict]) -> list[dict]:
    """The samples without ``sample_idx``."""
    return [{key: value for key, value in sample.items() if key != 'sample_idx'} for sample in samples]


def expect_same(got: dict[str, float], want: dict[str, float], what: str, tolerance: float = 1e-9) -> None:
    """Two results have the same keys and values."""
    expect(got.keys() == want.keys(), f'{what}: the keys are {sorted(got)} and {sorted(want)}')
    for key, value in want.items():
        near = math.isclose(got[key], value, rel_tol=tolerance, abs_tol=tolerance)
        expect(near, f'{what}: {key} is {got[key]:.8g} and {value:.8g}')


@CHECKS.add
def finite_numbers(part: Part) -> None:
    """The result has finite plain numbers, which JSON can hold."""
    metrics = evaluate(make(part), data(part))
    expect(metrics, 'there is no metric')
    wrong = {key: value for key, value in metrics.items() if not isinstance(value, (int, float))
             or not math.isfinite(value)}
    expect(not wrong, f'these are no finite numbers: {wrong}')
    json.dumps(metrics)


@CHECKS.add
def keys_have_a_prefix(part: Part) -> None:
    """Keys are ``prefix/name``, and the prefix can be chosen."""
    metrics = evaluate(make(part), data(part))
    bare = [key for key in metrics if '/' not in key]
    expect(not bare, f'keys without a prefix: {bare}; set default_prefix')
    chosen = evaluate(make(part, prefix='mine'), data(part))
    expect(all(key.startswith('mine/') for key in chosen), f"prefix='mine' gives {sorted(chosen)}")


@CHECKS.add
def order_of_samples(part: Part) -> None:
    """The order in which the samples come does not matter."""
    samples = data(part)
    shuffled = [samples[i] for i in np.random.default_rng(1).permutation(len(samples))]
    expect_same(evaluate(make(part), shuffled), evaluate(make(part), samples), 'shuffled and given samples')


@CHECKS.add
def batch_size(part: Part) -> None:
    """The batch size does not matter."""
    samples = data(part)
    want = evaluate(make(part), samples)
    for batch in (1, SAMPLES):
        expect_same(evaluate(make(part), samples, batch=batch), want, f'batches of {batch} and of {BATCH}')


@CHECKS.add
def padded_samples(part: Part) -> None:
    """Samples that a distributed sampler repeats count once."""
    samples = data(part)
    padded = evaluate(make(part), [*samples, *samples[:5]], size=SAMPLES)
    expect_same(padded, evaluate(make(part), samples), 'with repeated samples and without')


@CHECKS.add
def no_sample_idx(part: Part) -> None:
    """Without ``sample_idx`` the surplus at the end is cut."""
    samples = without_index(data(part))
    padded = evaluate(make(part), [*samples, *samples[:5]], size=SAMPLES)
    expect_same(padded, evaluate(make(part), data(part)), 'without sample_idx and with it')


@CHECKS.add
def no_memory(part: Part) -> None:
    """An evaluation knows nothing of the one before."""
    metric = make(part)
    evaluate(metric, data(part, seed=1))
    expect_same(evaluate(metric, data(part)), evaluate(make(part), data(part)),
                'a second evaluation and a first')


@CHECKS.add
def renumbered_classes(part: Part) -> None:
    """Renumbering the classes, in scores, labels and counts, changes nothing."""
    if 'make_samples' in part.options:
        raise NotApplicable('only of pred_score and gt_label is it known how to renumber')
    order = torch.tensor([3, 6, 0, 4, 1, 5, 2])
    new = order.argsort()
    renumbered = [dict(sample, pred_score=sample['pred_score'][order], pred_label=new[sample['pred_label']],
                       gt_label=new[sample['gt_label']]) for sample in data(part)]
    metric = make(part, [COUNTS[c] for c in order])
    expect_same(evaluate(metric, renumbered), evaluate(make(part), data(part)),
                'renumbered and given classes')


@CHECKS.add
def class_without_a_test_sample(part: Part) -> None:
    """A class without a test sample leaves every number finite."""
    if 'make_samples' in part.options:
        raise NotApplicable('the samples are made elsewhere')
    samples = [sample for sample in data(part) if int(sample['gt_label']) != 2]
    metrics = evaluate(make(part), samples)
    wrong = [key for key, value in metrics.items() if not math.isfinite(value)]
    expect(not wrong, f'without a test sample of class 2 these are not finite: {wrong}')


@CHECKS.add
def input_unchanged(part: Part) -> None:
    """The data samples are not written to."""
    samples = data(part)
    evaluate(make(part), samples)
    for sample, fresh in zip(samples, data(part)):
        same = sample.keys() == fresh.keys() and all(
            torch.equal(torch.as_tensor(sample[key]), torch.as_tensor(fresh[key])) for key in fresh)
        expect(same, f'sample {fresh["sample_idx"]} is changed by the evaluation')


@CHECKS.add
def kinds_of_scores(part: Part) -> None:
    """Scores in half precision, or with a gradient, are taken as they are."""
    if 'make_samples' in part.options:
        raise NotApplicable('the samples are made elsewhere')
    halves = [dict(sample, pred_score=sample['pred_score'].half()) for sample in data(part)]
    singles = [dict(half, pred_score=half['pred_score'].float().requires_grad_()) for half in halves]
    expect_same(evaluate(make(part), halves), evaluate(make(part), singles),
                'scores in float16 and float32', 1e-3)


@CHECKS.add
def data_elements(part: Part) -> None:
    """It works in mmengine's ``Evaluator``, on data elements."""
    elements = []
    for sample in data(part):
        element = BaseDataElement(metainfo=dict(sample_idx=sample['sample_idx']))
        for key in sample.keys() - {'sample_idx'}:
            setattr(element, key, sample[key])
        elements.append(element)
    evaluator = Evaluator([make(part)])
    for start in range(0, SAMPLES, BATCH):
        evaluator.process(elements[start:start + BATCH])
    expect_same(evaluator.evaluate(SAMPLES), evaluate(make(part), data(part)), 'in the Evaluator and alone')


@CHECKS.add
def nan_scores(part: Part) -> None:
    """A NaN score is refused, with the sample."""
    if 'make_samples' in part.options:
        raise NotApplicable('the samples are made elsewhere')
    samples = data(part)
    samples[17]['pred_score'] = torch.full_like(samples[17]['pred_score'], float('nan'))
    error = raised_by(lambda: evaluate(make(part), samples))
    expect(isinstance(error, LtkitError) and '17' in str(error),
           f'NaN scores of sample 17 must raise an error of ltkit that names it, but give '
           f'{type(error).__name__ if error else "a result"}')


@CHECKS.add
def wrong_labels(part: Part) -> None:
    """A label out of range is refused, with its number."""
    if 'make_samples' in part.options:
        raise NotApplicable('the samples are made elsewhere')
    samples = data(part)
    samples[17]['gt_label'] = torch.tensor([77])
    error = raised_by(lambda: evaluate(make(part), samples))
    expect(isinstance(error, LtkitError) and '77' in str(error),
           f'label 77 of {len(COUNTS)} classes must raise an error of ltkit that names it, but gives '
           f'{type(error).__name__ if error else "a result"}')


@CHECKS.add
def empty_test_set(part: Part) -> None:
    """Without a sample the error says so."""
    error = raised_by(lambda: make(part).evaluate(0))
    expect(isinstance(error, LtkitError), f'without a sample it must raise an error of ltkit, but gives '
           f'{type(error).__name__ if error else "a result"}')


@CHECKS.add
def missing_counts(part: Part) -> None:
    """Without class counts it works all the same, or says which metric needs them."""
    error = raised_by(lambda: evaluate(make(part, None), data(part)))
    if error is None:
        expect_same(evaluate(make(part, None), data(part)), evaluate(make(part), data(part)),
                    'without and with class counts')
        return
    expect_missing_counts(error, part)


@CHECKS.add
def wrong_number_of_counts(part: Part) -> None:
    """Counts of another number of classes are refused, if counts are used."""
    error = raised_by(lambda: evaluate(make(part, (*COUNTS, 1)), data(part)))
    if error is None and raised_by(lambda: evaluate(make(part, None), data(part))) is None:
        return
    expect(isinstance(error, DistributionError),
           f'counts of {len(COUNTS) + 1} classes for scores of {len(COUNTS)} must raise DistributionError, '
           f'but give {type(error).__name__ if error else "a result"}')


@CHECKS.add
def counts_from_the_hook(part: Part) -> None:
    """Counts set later act as those given to the constructor."""
    metric = make(part, None)
    if not isinstance(metric, DistributionAware):
        raise NotApplicable('it takes no class counts')
    metric.set_class_distribution(ClassDistribution(COUNTS))
    expect_same(evaluate(metric, data(part)), evaluate(make(part), data(part)), 'counts set and given')


@CHECKS.add
def config_round_trip(part: Part) -> None:
    """Built by its registered name it gives the same numbers."""
    counts = dict(class_counts=list(COUNTS)) if part.accepts('class_counts') else {}
    built = part.make_by_config(**counts)
    expect_same(evaluate(built, data(part)), evaluate(make(part), data(part)),
                'from a config and from the class')


@CHECKS.add
def copies_are_equal(part: Part) -> None:
    """Deep copies and pickles give the same numbers."""
    for other in (copy.deepcopy(make(part)), pickle.loads(pickle.dumps(make(part)))):
        expect_same(evaluate(other, data(part)), evaluate(make(part), data(part)), 'copy and original')


@CHECKS.add
def two_processes(part: Part) -> None:
    """Two processes, of an odd number of samples, give exactly the numbers of one (``options=dict(tolerance=...)``)."""
    want = evaluate(make(part), data(part))
    for indexed in (True, False):
        for rank, got in enumerate(run_distributed(_padded_share, 2, part, indexed)):
            named = 'by sample_idx' if indexed else 'without sample_idx'
            expect_same(got, want, f'process {rank} of two, {named}, and one process', _tolerance(part))


@CHECKS.add
def a_process_without_samples(part: Part) -> None:
    """A process that got no sample does not stop the others."""
    want = evaluate(make(part), data(part))
    for rank, got in enumerate(run_distributed(_all_on_first, 2, part)):
        expect_same(got, want, f'process {rank} of two, the second without samples, and one process', _tolerance(part))


def _tolerance(part: Part) -> float:
    """0; a metric that adds up numbers which are not whole may state another."""
    return part.options.get('tolerance', 0.0)


def _padded_share(rank: int, world_size: int, part: Part, indexed: bool) -> dict[str, float]:
    samples = data(part)
    share = [samples[i % SAMPLES] for i in range(rank, SAMPLES + SAMPLES % world_size, world_size)]
    if not indexed:
        share = without_index(share)
    return evaluate(make(part), share, size=SAMPLES)


def _all_on_first(rank: int, world_size: int, part: Part) -> dict[str, float]:
    return evaluate(make(part), data(part) if rank == 0 else [], size=SAMPLES)
