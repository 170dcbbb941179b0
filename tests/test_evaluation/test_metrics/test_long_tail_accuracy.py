"""LongTailAccuracy: values, groups, reports, and what bad input gets."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement

from ltkit.distribution import ClassDistribution
from ltkit.evaluation import LongTailAccuracy
from ltkit.registry import METRICS
from ltkit.utils.errors import ConfigError, DataError, DistributionError, TrainingError

COUNTS = [200, 150, 60, 30, 19, 5, 1]


def samples_of(scores, labels, first=0, **extra):
    return [dict(pred_score=torch.as_tensor(score, dtype=torch.float32), gt_label=torch.tensor([int(label)]),
                 sample_idx=first + i, **extra) for i, (score, label) in enumerate(zip(scores, labels))]


def random_samples(count=60, classes=7, seed=0):
    rng = np.random.default_rng(seed)
    return samples_of(rng.random((count, classes)), rng.integers(0, classes, count))


def evaluated(metric, samples, batch=16, size=None):
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(len(samples) if size is None else size)


def test_values_equal_a_loop_over_samples():
    samples = random_samples()
    result = evaluated(LongTailAccuracy(class_counts=COUNTS), samples)
    hits = {c: [] for c in range(7)}
    top5 = []
    for s in samples:
        label, order = int(s['gt_label']), s['pred_score'].argsort(descending=True).tolist()
        hits[label].append(order[0] == label)
        top5.append(label in order[:5])
    accuracy = {c: sum(h) / len(h) for c, h in hits.items()}
    mean = lambda values: 100 * sum(values) / len(values)  # noqa: E731
    assert result['accuracy/top1'] == pytest.approx(mean([h for hs in hits.values() for h in hs]))
    assert result['accuracy/top5'] == pytest.approx(mean(top5))
    assert result['accuracy/many'] == pytest.approx(mean([accuracy[c] for c in (0, 1)]))
    assert result['accuracy/medium'] == pytest.approx(mean([accuracy[c] for c in (2, 3)]))
    assert result['accuracy/few'] == pytest.approx(mean([accuracy[c] for c in (4, 5, 6)]))
    assert result['accuracy/mean_class'] == pytest.approx(mean(list(accuracy.values())))
    assert result['accuracy/worst_class'] == pytest.approx(100 * min(accuracy.values()))
    assert result['accuracy/harmonic_mean'] == (
        0 if 0 in accuracy.values() else pytest.approx(700 / sum(1 / a for a in accuracy.values())))
    assert set(result) == {f'accuracy/{k}' for k in (
        'top1', 'top5', 'many', 'medium', 'few', 'mean_class', 'macro_f1', 'g_mean', 'harmonic_mean',
        'worst_class', 'few_to_many', 'many_to_few', 'predicted_prior_l1', 'predicted_prior_kl')}
    assert all(type(v) is float for v in result.values())


def test_order_and_batch_size_do_not_matter():
    samples = random_samples()
    once = evaluated(LongTailAccuracy(class_counts=COUNTS), samples)
    order = np.random.default_rng(1).permutation(len(samples))
    assert evaluated(LongTailAccuracy(class_counts=COUNTS), [samples[i] for i in order], batch=7) == once


def test_padded_samples_count_once():
    samples = random_samples()
    once = evaluated(LongTailAccuracy(class_counts=COUNTS), samples)
    assert evaluated(LongTailAccuracy(class_counts=COUNTS), samples + samples[:5], size=60) == once


def test_without_sample_idx_the_size_cuts():
    samples = [{k: v for k, v in s.items() if k != 'sample_idx'} for s in random_samples()]
    once = evaluated(LongTailAccuracy(class_counts=COUNTS), samples)
    assert evaluated(LongTailAccuracy(class_counts=COUNTS), samples + samples[:5], size=60) == once


def test_joined_test_sets_with_the_same_indices_are_both_counted():
    right = samples_of(np.eye(3), [0, 1, 2])
    wrong = samples_of(np.eye(3), [1, 2, 0])
    assert evaluated(LongTailAccuracy(groups=False), right + wrong, size=6)['accuracy/top1'] == 50


def test_top5_is_absent_with_five_classes():
    result = evaluated(LongTailAccuracy(groups=False), random_samples(classes=5))
    assert 'accuracy/top5' not in result
    assert 'accuracy/top5' in evaluated(LongTailAccuracy(groups=False), random_samples(classes=6))


def test_empty_group_is_absent_and_empty_class_reported(caplog):
    samples = samples_of(np.eye(3)[[0, 1, 0]], [0, 1, 1])
    metric = LongTailAccuracy(class_counts=[500, 400, 3])
    with caplog.at_level(logging.INFO):
        result = evaluated(metric, samples)
    assert 'accuracy/few' not in result and 'accuracy/medium' not in result
    assert result['accuracy/many'] == result['accuracy/mean_class'] == 75
    assert metric.report['missing_classes'] == [2] and metric.report['per_class'] == [100.0, 50.0, None]


def test_thresholds_of_the_data_set_and_of_the_metric():
    samples = samples_of(np.eye(4), range(4))
    metric = METRICS.build(dict(type='LongTailAccuracy'))
    metric.set_class_distribution(ClassDistribution([40, 20, 10, 2], many_threshold=30, few_threshold=5))
    evaluated(metric, samples)
    assert metric.report['group_sizes'] == dict(many=1, medium=2, few=1)
    assert metric.per_class.tolist() == [100.0] * 4
    assert metric.report['thresholds'] == 'many > 30, few < 5 training samples'
    metric = LongTailAccuracy(class_counts=[40, 20, 10, 2], many_threshold=20, few_threshold=10, style='oltr')
    evaluated(metric, samples)
    assert metric.report['group_sizes'] == dict(many=2, medium=0, few=2)
    assert metric.class_distribution.thresholds == 'many >= 20, few <= 10 training samples'
    assert metric.report['thresholds'] == metric.class_distribution.thresholds


def test_thresholds_are_logged_once(monkeypatch):
    lines = []
    monkeypatch.setattr('ltkit.evaluation.metrics.long_tail_accuracy.print_log',
                        lambda text, *_: lines.append(text))
    metric = LongTailAccuracy(class_counts=COUNTS)
    evaluated(metric, random_samples())
    evaluated(metric, random_samples())
    thresholds = 'many > 100, few < 20 training samples'
    assert lines == [f'LongTailAccuracy: many/medium/few: 2/2/3 classes ({thresholds})']


def test_report_is_written_whole(tmp_path):
    path = tmp_path / 'new' / 'report.json'
    metric = LongTailAccuracy(class_counts=COUNTS, out_file=str(path))
    result = evaluated(metric, random_samples())
    report = json.loads(path.read_text())
    assert report == metric.report and report['train_counts'] == COUNTS and sum(report['test_counts']) == 60
    assert {f'accuracy/{k}': v for k, v in report['metrics'].items()} == result
    assert [p.name for p in path.parent.iterdir()] == ['report.json']


def test_data_elements_go_through_the_evaluator():
    from mmengine.evaluator import Evaluator
    evaluator = Evaluator([LongTailAccuracy(groups=False)])
    element = BaseDataElement(metainfo=dict(sample_idx=0))
    element.pred_score, element.gt_label = torch.tensor([0.1, 0.9]), torch.tensor([1])
    evaluator.process([element])
    assert evaluator.evaluate(1)['accuracy/top1'] == 100


def test_calculate_from_a_notebook():
    scores = np.random.default_rng(0).random((60, 7))
    labels = np.arange(60) % 7
    report = LongTailAccuracy.calculate(labels, scores, distribution=COUNTS)
    assert report['metrics']['top5'] >= report['metrics']['top1']
    classes = LongTailAccuracy.calculate(labels, scores.argmax(1), distribution=COUNTS)
    want = dict(report['metrics'])
    want.pop('top5')
    assert classes['metrics'] == want


def test_bad_input_gets_one_line():
    metric = LongTailAccuracy(class_counts=COUNTS)
    scores = np.random.default_rng(0).random((2, 7))
    scores[1, 3] = float('nan')
    with pytest.raises(TrainingError, match='scores of sample 11 are NaN'):
        metric.process(None, samples_of(scores, [0, 1], first=10))
    with pytest.raises(TrainingError, match=r'sample cat/a\.jpg'):
        metric.process(None, samples_of(scores, [0, 1], img_path='cat/a.jpg'))
    with pytest.raises(DataError, match="reads 'pred_score'"):
        metric.process(None, [dict(gt_label=torch.tensor([1]), sample_idx=0)])
    with pytest.raises(DataError, match='label 7 of sample 0 is out of range'):
        metric.process(None, samples_of(np.zeros((1, 7)), [7]))
    with pytest.raises(DataError, match='one gt_label a sample'):
        metric.process(None, [dict(pred_score=torch.zeros(7), gt_label=torch.tensor([1, 2]), sample_idx=0)])
    with pytest.raises(DataError, match='seen no sample'):
        metric.evaluate(0)
    with pytest.raises(ConfigError, match='topk'):
        LongTailAccuracy(topk=(0, 5))


def test_groups_need_counts_of_the_same_classes():
    with pytest.raises(DistributionError, match='class_counts='):
        evaluated(LongTailAccuracy(), random_samples())
    with pytest.raises(DistributionError, match='counts of 3 classes, but the model scores 7'):
        evaluated(LongTailAccuracy(class_counts=[3, 2, 1]), random_samples())
    assert 'accuracy/few' not in evaluated(LongTailAccuracy(groups=False), random_samples())


def test_where_the_predictions_go():
    predicted = [0, 0, 0, 1, 0, 0, 1, 2]
    metric = LongTailAccuracy(topk=1, class_counts=[500, 50, 5])
    result = evaluated(metric, samples_of(np.eye(3)[predicted], [0, 0, 1, 1, 2, 2, 2, 2]))
    assert result['accuracy/few_to_many'] == 50 and result['accuracy/many_to_few'] == 0
    assert metric.group_confusion.tolist() == [[100, 0, 0], [50, 50, 0], [50, 25, 25]]
    assert metric.predicted_prior.tolist() == [62.5, 25, 12.5]
    share = np.array([5, 2, 1]) / 8
    assert result['accuracy/predicted_prior_l1'] == pytest.approx(np.abs(share - 1 / 3).sum())
    assert result['accuracy/predicted_prior_kl'] == pytest.approx((share * np.log(3 * share)).sum())
    assert metric.details == dict(predicted_prior=[62.5, 25, 12.5],
                                  group_confusion=metric.group_confusion.tolist())


def test_confusion_of_groups_needs_groups_with_test_samples():
    metric = LongTailAccuracy(class_counts=[500, 50, 5])
    result = evaluated(metric, samples_of(np.eye(3)[:2], [0, 1]))
    assert 'accuracy/few_to_many' not in result and result['accuracy/many_to_few'] == 0
    assert np.isnan(metric.group_confusion[2]).all() and metric.report['group_confusion'][2] == [None] * 3
    metric = LongTailAccuracy(groups=False)
    assert 'accuracy/many_to_few' not in evaluated(metric, samples_of(np.eye(3)[:2], [0, 1]))
    assert metric.group_confusion is None and set(metric.details) == {'predicted_prior'}
