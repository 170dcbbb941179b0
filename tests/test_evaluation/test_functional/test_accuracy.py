"""The accuracy functions against loops over samples and classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ltkit.evaluation import functional as F
from ltkit.evaluation.functional import accuracy


def _data(num_classes: int = 7, samples: int = 90, seed: int = 0):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 5, (samples, num_classes)).astype(np.float64)  # many ties
    labels = rng.integers(0, num_classes - 1, samples)  # the last class has no sample
    return scores, labels


def _loop_per_class(labels, predicted, num_classes):
    rows = []
    for c in range(num_classes):
        tp = sum(1 for y, p in zip(labels, predicted) if y == c and p == c)
        fp = sum(1 for y, p in zip(labels, predicted) if y != c and p == c)
        fn = sum(1 for y, p in zip(labels, predicted) if y == c and p != c)
        rows.append((tp, fp, fn))
    return rows


@pytest.mark.parametrize('kind', ['numpy', 'torch', 'half', 'bfloat16'])
def test_ranks_and_predictions_equal_a_loop(kind):
    scores, labels = _data()
    given = {'numpy': scores, 'torch': torch.tensor(scores), 'half': torch.tensor(scores).half(),
             'bfloat16': torch.tensor(scores).bfloat16()}[kind]
    ranks, predicted = F.label_ranks(given, labels), F.predictions(given)
    for i, (row, label) in enumerate(zip(scores.tolist(), labels)):
        order = sorted(range(len(row)), key=lambda c: (-row[c], c))
        assert ranks[i] == order.index(label)
        assert predicted[i] == order[0]


def test_ranks_are_the_same_on_an_accelerator():
    scores, labels = _data()
    tensor, column = torch.tensor(scores), torch.tensor(labels)[:, None]
    got = accuracy._ranks_on_device(tensor, tensor.gather(1, column), column)
    assert got.tolist() == F.label_ranks(scores, labels).tolist()


@pytest.mark.parametrize('k', [1, 2, 5])
def test_top_k_equals_a_loop(k):
    scores, labels = _data()
    hits = [label in sorted(range(7), key=lambda c: (-row[c], c))[:k]
            for row, label in zip(scores.tolist(), labels)]
    assert F.top_k_accuracy(F.label_ranks(scores, labels), k) == sum(hits) / len(hits)


def test_class_measures_equal_loops():
    scores, labels = _data()
    predicted = F.predictions(scores)
    counts = F.confusion_counts(labels, predicted, 7)
    rows = _loop_per_class(labels, predicted, 7)
    per_class = F.per_class_accuracy(counts)
    recall = [tp / (tp + fn) for tp, _, fn in rows[:-1]]
    assert per_class[:-1].tolist() == pytest.approx(recall, abs=1e-15) and math.isnan(per_class[-1])
    assert F.mean_class_accuracy(per_class) == pytest.approx(sum(recall) / 6)
    assert F.worst_class_accuracy(per_class) == min(recall)
    f1 = [2 * tp / (2 * tp + fp + fn) for tp, fp, fn in rows[:-1]]
    assert F.macro_f1(counts) == pytest.approx(sum(f1) / 6)
    assert F.g_mean(per_class) == pytest.approx(math.prod(recall) ** (1 / 6))
    assert F.harmonic_mean(per_class) == pytest.approx(6 / sum(1 / r for r in recall))


def test_macro_f1_is_that_of_scikit_learn():
    metrics = pytest.importorskip('sklearn.metrics')
    scores, labels = _data(seed=3)
    labels[:7] = np.arange(7)  # every class has a sample
    predicted = F.predictions(scores)
    want = metrics.f1_score(labels, predicted, average='macro', zero_division=0)
    assert F.macro_f1(F.confusion_counts(labels, predicted, 7)) == pytest.approx(want)


def test_groups_average_classes_and_leave_out_what_is_empty():
    per_class = np.array([1.0, 0.5, float('nan'), 0.0])
    groups = dict(many=[0, 1], medium=np.array([2]), few=[1, 2, 3], none=[])
    assert F.group_accuracy(per_class, groups) == dict(many=0.75, few=0.25)


def test_group_is_the_sample_mean_on_a_balanced_test_set():
    labels = np.repeat(np.arange(4), 5)
    predicted = np.random.default_rng(1).integers(0, 4, 20)
    per_class = F.per_class_accuracy(F.confusion_counts(labels, predicted, 4))
    group = F.group_accuracy(per_class, dict(few=[1, 3]))['few']
    inside = np.isin(labels, [1, 3])
    assert group == pytest.approx(np.mean(labels[inside] == predicted[inside]))


def test_a_class_never_hit_makes_the_products_zero():
    per_class = np.array([1.0, 0.0, 0.5])
    assert F.g_mean(per_class) == 0 and F.harmonic_mean(per_class) == 0


def test_constant_scores_predict_class_0():
    scores = torch.zeros(4, 3)
    assert F.predictions(scores).tolist() == [0, 0, 0, 0]
    assert F.label_ranks(scores, torch.tensor([0, 1, 2, 0])).tolist() == [0, 1, 2, 0]


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match='label 3 is out of range'):
        F.label_ranks(torch.zeros(2, 3), torch.tensor([0, 3]))
    with pytest.raises(ValueError, match=r'\(2,\)'):
        F.label_ranks(torch.zeros(2), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match='no class has a test sample'):
        F.mean_class_accuracy(np.full(3, np.nan))


@pytest.mark.parametrize('labels, predicted, fault', [
    ([0, 5], [1, 1], 'label 5'), ([0, 2], [1, 7], 'prediction 7'), ([0, -1], [1, 1], 'label -1')])
def test_a_class_that_is_none_is_named(labels, predicted, fault):
    with pytest.raises(ValueError, match=f'{fault} is out of range; with 3 classes it is 0 to 2'):
        F.confusion_counts(labels, predicted, 3)


@pytest.mark.parametrize('kind', ['numpy', 'torch', 'half'])
def test_nan_is_no_hit(kind):
    """No score is larger than NaN, so that a network that has diverged would be right always."""
    scores = np.array([[0.1, 0.9], [np.nan, np.nan], [0.5, 0.5]])
    given = {'numpy': scores, 'torch': torch.tensor(scores), 'half': torch.tensor(scores).half()}[kind]
    with pytest.raises(ValueError, match='the scores of sample 1 are NaN'):
        F.label_ranks(given, np.array([1, 1, 1]))
    scores[1, 1] = 0.3
    with pytest.raises(ValueError, match='the scores of sample 1 are NaN'):
        F.predictions(given)
    infinite = torch.tensor([[-torch.inf, 0.0], [torch.inf, -torch.inf]])
    assert F.predictions(infinite).tolist() == [1, 0] and F.label_ranks(infinite, [0, 0]).tolist() == [1, 0]
