"""Each check of a metric is failed by a metric that breaks that promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric

from ltkit.evaluation import LongTailAccuracy, LongTailMetric
from ltkit.testing import ConformanceError, check_metric, checks_of
from ltkit.testing.conformance import Check, Part

WRONG: dict[str, type] = {}


def fails(name):
    def keep(cls):
        WRONG[name] = cls
        return cls
    return keep


class Plain(BaseMetric):
    """An accuracy under mmengine's own rules."""

    default_prefix = 'plain'

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            self.results.append((int(sample['pred_score'].argmax()), int(sample['gt_label'])))

    def compute_metrics(self, results):
        return dict(accuracy=float(np.mean([a == b for a, b in results])))


class Few(LongTailMetric):
    """Share of the samples that are of few-shot classes and hit."""

    default_prefix = 'few'

    def record(self, data_samples):
        scores = self.stacked_scores(data_samples)
        labels = self.stacked_labels(data_samples, scores.size(1))
        few = (self.counts_for(scores) < 20)[labels]
        return dict(hit=((scores.argmax(1) == labels) & few).double().numpy())

    def compute(self, records):
        return dict(hit=float(records['hit'].mean()))


@fails('finite_numbers')
class Tensors(Few):
    def compute(self, records):
        return dict(hit=torch.tensor(1.0))


@fails('keys_have_a_prefix')
class NoPrefix(Few):
    default_prefix = ''


@fails('order_of_samples')
class FirstOnly(Plain):
    def compute_metrics(self, results):
        return super().compute_metrics(results[:5])


@fails('batch_size')
class MeanOfBatches(Few):
    def process(self, data_batch, data_samples):
        super().process(data_batch, data_samples)
        self.batches = getattr(self, 'batches', 0) + 1

    def compute(self, records):
        return dict(hit=self.batches)


@fails('padded_samples')
class CountsTwice(Few):
    def _each_sample_once(self, parts, size):
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@fails('no_sample_idx')
class NeedsIndex(Few):
    def _each_sample_once(self, parts, size):
        records = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        keep = np.unique(records['sample_idx'], return_index=True)[1]
        return {name: values[keep] for name, values in records.items()}


@fails('no_memory')
class Accumulates(Few):
    total = 0.0

    def compute(self, records):
        self.total += records['hit'].mean()
        return dict(hit=float(self.total))


@fails('renumbered_classes')
class ClassZero(Plain):
    def compute_metrics(self, results):
        return dict(hit=float(np.mean([a == b == 0 for a, b in results])))


@fails('class_without_a_test_sample')
class EmptyMean(Plain):
    def compute_metrics(self, results):
        with np.errstate(all='ignore'):
            hits, counts = np.zeros(7), np.zeros(7)
            for predicted, label in results:
                counts[label] += 1
                hits[label] += predicted == label
            return dict(mean=float((hits / counts).mean()))


@fails('input_unchanged')
class Pops(Few):
    def record(self, data_samples):
        records = super().record(data_samples)
        for sample in data_samples:
            sample.pop('pred_score')
        return records


@fails('kinds_of_scores')
class NumpyScores(Few):
    def record(self, data_samples):
        for sample in data_samples:
            sample['pred_score'].numpy()
        return super().record(data_samples)


@fails('data_elements')
class Attributes(Few):
    def record(self, data_samples):
        if 'pred_label' in data_samples[0] and 'num_classes' not in data_samples[0]:
            self.keys = list(data_samples[0])
        return super().record(data_samples)

    def compute(self, records):
        return dict(hit=float(records['hit'].mean()) + self.keys.index('sample_idx'))


@fails('nan_scores')
class TakesNaN(Plain):
    pass


@fails('wrong_labels')
class TakesAnyLabel(Plain):
    pass


@fails('empty_test_set')
class EmptyIsZero(Plain):
    def compute_metrics(self, results):
        return super().compute_metrics(results) if results else dict(accuracy=0.0)


@fails('missing_counts')
class AssumesCounts(Few):
    def record(self, data_samples):
        self.class_counts[2]
        return super().record(data_samples)


@fails('wrong_number_of_counts')
class CutsCounts(Few):
    def counts_for(self, scores, num_classes=None):
        return super().counts_for(scores, self.class_counts.numel() or scores.size(1))[:scores.size(1)]


@fails('counts_from_the_hook')
class CountsAtBirth(Few):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.early = self.class_counts.clone()

    def compute(self, records):
        return dict(hit=float(records['hit'].mean()) + float(self.early.sum()))


@fails('config_round_trip')
class Counted(Few):
    built = 0

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        type(self).built += 1
        self.number = self.built

    def compute(self, records):
        return dict(hit=self.number)


@fails('copies_are_equal')
class HoldsALambda(Few):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.function = lambda x: x


@fails('two_processes')
class OwnShare(Few):
    def evaluate(self, size):
        records = {name: np.concatenate([r[name] for r in self.results]) for name in self.results[0]}
        self.results.clear()
        keep = np.unique(records['sample_idx'], return_index=True)[1]
        return {'few/hit': float(records['hit'][keep].mean())}


@fails('a_process_without_samples')
class NeedsASample(Few):
    def evaluate(self, size):
        self.results[0]
        return super().evaluate(size)


def test_a_good_metric_passes():
    assert set(check_metric(dict(type=Few)).values()) == {'passed'}


def test_another_accuracy_passes():
    check_metric(LongTailAccuracy, topk=(1, 2), many_threshold=50)


def test_each_check_can_fail():
    assert set(WRONG) == set(checks_of('metric'))


@pytest.mark.parametrize('name', WRONG)
def test_wrong_metric_is_caught(name):
    check = Check(name, checks_of('metric')[name], Part('metric', dict(type=WRONG[name])))
    with pytest.raises(ConformanceError):
        check()
