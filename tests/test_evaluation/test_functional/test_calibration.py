"""Calibration functions against loops over samples and bins."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ltkit.evaluation import functional as F


def data(samples=97, classes=5, seed=0):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(samples, classes))
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return scores, rng.integers(0, classes, samples)


def loop_bins(confidence, correct, bins):
    """Per bin: samples, sum of confidences, hits."""
    table = [[0, 0.0, 0] for _ in range(bins)]
    for conf, hit in zip(confidence.tolist(), correct.tolist()):
        place = next(b for b in range(bins) if conf <= (b + 1) / bins)
        table[place][0] += 1
        table[place][1] += conf
        table[place][2] += hit
    return table


@pytest.mark.parametrize('bins', [1, 10, 15])
@pytest.mark.parametrize('kind', ['numpy', 'torch'])
def test_ece_and_mce_equal_loops(bins, kind):
    scores, labels = data()
    given = scores if kind == 'numpy' else torch.tensor(scores)
    confidence, correct = F.top_label(given, labels)
    assert confidence.tolist() == scores.max(1).tolist()
    assert correct.tolist() == (scores.argmax(1) == labels).tolist()
    table = loop_bins(confidence, correct, bins)
    got = F.reliability_bins(confidence, correct, bins)
    assert got.counts.tolist() == [n for n, _, _ in table]
    gaps = [abs(hits / n - conf / n) if n else None for n, conf, hits in table]
    ece = sum(n * gap for (n, _, _), gap in zip(table, gaps) if n) / len(labels)
    assert F.expected_calibration_error(got) == pytest.approx(ece, abs=1e-11)
    assert F.maximum_calibration_error(got) == pytest.approx(max(g for g in gaps if g is not None), abs=1e-11)


def test_a_bin_includes_its_upper_edge():
    edges = [0.0, 1 / 15, 2 / 15, 1.0]
    counts = F.reliability_bins(np.array(edges), np.ones(4, bool)).counts
    assert counts[[0, 1, 14]].tolist() == [2, 1, 1] and counts.sum() == 4


def test_empty_bins_are_nan_and_add_nothing():
    bins = F.reliability_bins(np.array([0.95, 0.95]), np.array([True, False]), 10)
    assert np.isnan(bins.accuracy[:-1]).all() and bins.accuracy[-1] == 0.5
    assert F.expected_calibration_error(bins) == pytest.approx(0.45)
    assert F.maximum_calibration_error(bins) == pytest.approx(0.45)
    none = F.reliability_bins(np.zeros(0), np.zeros(0, bool))
    assert math.isnan(F.expected_calibration_error(none)) and math.isnan(F.maximum_calibration_error(none))
    assert math.isnan(F.expected_calibration_error(F.adaptive_bins(np.zeros(0), np.zeros(0, bool))))


def test_a_calibrated_model_has_no_error():
    confidence = np.repeat([0.25, 0.75], 4)
    correct = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    assert F.expected_calibration_error(F.reliability_bins(confidence, correct)) == 0
    assert F.expected_calibration_error(F.adaptive_bins(confidence, correct, 2)) == 0


@pytest.mark.parametrize('bins', [1, 4, 15])
def test_adaptive_ece_equals_a_loop_over_equal_parts(bins):
    scores, labels = data()
    confidence, correct = F.top_label(scores, labels)
    order = sorted(range(len(labels)), key=lambda i: confidence[i])
    want = 0.0
    for part in np.array_split(np.array(order), bins):
        want += abs(sum(correct[i] for i in part) - sum(confidence[i] for i in part))
    got = F.adaptive_bins(confidence, correct, bins)
    assert F.expected_calibration_error(got) == pytest.approx(want / len(labels), abs=1e-11)
    assert got.counts.max() - got.counts.min() <= 1
    assert got.edges[0] == 0 and got.edges[-1] == confidence.max() and (np.diff(got.edges) >= 0).all()


def test_equal_confidences_share_their_accuracy():
    """Half of the samples of one confidence are right: calibrated, in whatever order they come."""
    correct = np.arange(40) < 20
    for given in (correct, correct[::-1], np.random.default_rng(0).permutation(correct)):
        bins = F.adaptive_bins(np.full(40, 0.5), given, 8)
        assert bins.accuracy.tolist() == [0.5] * 8 and F.expected_calibration_error(bins) == 0


def test_fewer_samples_than_adaptive_bins():
    bins = F.adaptive_bins(np.array([0.2, 0.9]), np.array([False, True]), 15)
    assert bins.counts.sum() == 2
    assert F.expected_calibration_error(bins) == pytest.approx((0.2 + 0.1) / 2)


def test_sums_in_parts_and_in_any_order_are_exactly_the_same():
    scores, labels = data(200)
    confidence, correct = F.top_label(scores, labels)
    whole = F.ReliabilitySums()
    whole.update(confidence, correct)
    order = np.random.default_rng(1).permutation(200)
    parts = []
    for chunk in np.split(order, [3, 60, 61]):
        parts.append(F.ReliabilitySums())
        parts[-1].update(confidence[chunk], correct[chunk])
    total = parts[2] + parts[0] + (parts[3] + parts[1])
    for name in ('counts', 'confidence', 'accuracy'):
        assert np.array_equal(getattr(total.bins(), name), getattr(whole.bins(), name), equal_nan=True)
    with pytest.raises(ValueError, match='15 and of 10'):
        whole + F.ReliabilitySums(10)


def test_bins_survive_json():
    bins = F.reliability_bins(np.array([0.95, 0.3]), np.array([True, False]), 4)
    again = F.ReliabilityBins.from_dict(bins.to_dict())
    assert bins.to_dict()['accuracy'] == [None, 0.0, None, 1.0] and again.counts.dtype == np.int64
    for one, other in zip(bins, again):
        assert np.array_equal(one, other, equal_nan=True)


def test_nll_and_brier_equal_loops():
    scores, labels = data()
    nll, brier = 0.0, []
    for row, label in zip(scores.tolist(), labels):
        nll -= math.log(row[label])
        brier.append(sum((p - (c == label))**2 for c, p in enumerate(row)))
    assert F.negative_log_likelihood(scores[np.arange(97), labels]) == pytest.approx(nll / 97, abs=1e-12)
    assert F.brier_scores(scores, labels).tolist() == pytest.approx(brier, abs=1e-12)
    assert F.brier_scores(torch.tensor(scores), torch.tensor(labels)).tolist() == pytest.approx(brier)


def test_brier_does_not_depend_on_the_batch_nor_change_its_input():
    scores, labels = data(600, 40)
    before = scores.copy()
    whole = F.brier_scores(scores, labels)
    assert np.array_equal(whole[::-1], F.brier_scores(scores[::-1].copy(), labels[::-1].copy()))
    assert np.array_equal(whole, [F.brier_scores(scores[i:i + 1], labels[i:i + 1])[0] for i in range(600)])
    assert np.array_equal(whole, F.brier_scores(scores[:, ::-1].copy(), 39 - labels))
    assert np.array_equal(before, scores)


def test_a_probability_of_0_leaves_the_nll_finite():
    assert F.negative_log_likelihood(np.array([0.0])) == pytest.approx(87.3365, abs=1e-3)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r'in \[0, 1\], but one is 1.5'):
        F.reliability_bins(np.array([0.2, 1.5]), np.array([True, True]))
    with pytest.raises(ValueError, match='but one is nan'):
        F.adaptive_bins(np.array([np.nan]), np.array([True]))
    with pytest.raises(ValueError, match=r'\(2,\) and \(1,\)'):
        F.reliability_bins(np.zeros(2), np.zeros(1))
    with pytest.raises(ValueError, match='num_bins must be at least 1, but is 0'):
        F.reliability_bins(np.zeros(2), np.zeros(2), 0)
