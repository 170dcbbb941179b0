"""Tests of ltkit.models.classifiers.dual_head_classifier."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.classifiers import DualHeadClassifier, LinearClassifier
from ltkit.models.heads import LongTailClsHead
from ltkit.registry import CLASSIFIERS
from ltkit.utils.errors import ConfigError

COUNTS = [500, 20, 100, 99, 0]


def log_softmax(scores):
    total = math.log(sum(math.exp(score) for score in scores))
    return [score - total for score in scores]


def scores_of(row, weight, bias):
    return [sum(a * b for a, b in zip(row, w)) + c for w, c in zip(weight, bias)]


def make(threshold=100, **kwargs):
    """In float64, with heads that differ."""
    classifier = DualHeadClassifier(5, 3, threshold=threshold, class_counts=COUNTS, **kwargs).double()
    with torch.no_grad():
        classifier.weight.add_(torch.randn_like(classifier.weight))
    return classifier


@pytest.mark.parametrize(('threshold', 'rare'), [
    (100, [1, 3, 4]), (0, []), (21, [1, 4]), (501, [0, 1, 2, 3, 4])])
def test_equation(threshold, rare):
    classifier, features = make(threshold).eval(), torch.randn(6, 3, dtype=torch.float64)
    expected = []
    for row in features.tolist():
        calibrated, original = (log_softmax(scores_of(row, weight.tolist(), bias.tolist())) for weight, bias in (
            (classifier.weight, classifier.bias), (classifier.original_weight, classifier.original_bias)))
        expected.append([calibrated[c] if c in rare else original[c] for c in range(5)])
    expected = torch.tensor(expected, dtype=torch.float64)
    assert (classifier(features) - expected).abs().max() < 1e-10
    assert (classifier.float()(features.float()) - expected).abs().max() < 1e-5


def test_in_training_the_calibrated_logits_learn_alone():
    classifier, features = make(), torch.randn(6, 3, dtype=torch.float64)
    logits = classifier(features)
    expected = [scores_of(row, classifier.weight.tolist(), classifier.bias.tolist()) for row in features.tolist()]
    assert (logits - torch.tensor(expected, dtype=torch.float64)).abs().max() < 1e-10
    assert [name for name, _ in classifier.named_parameters()] == ['weight', 'bias']
    before = classifier.original_weight.clone()
    optimizer = torch.optim.SGD(classifier.parameters(), lr=1.0, weight_decay=0.1)
    logits.square().sum().backward()
    optimizer.step()
    assert torch.equal(classifier.original_weight, before)


def test_an_earlier_stage_hands_over_to_both_heads():
    linear, dual = LinearClassifier(5, 3), DualHeadClassifier(5, 3, class_counts=COUNTS)
    dual.load_state_dict(linear.state_dict(), strict=False)
    for name in ('weight', 'bias'):
        for own in (name, f'original_{name}'):
            assert torch.equal(getattr(dual, own), getattr(linear, name))
    features = torch.randn(4, 3)
    assert torch.equal(dual(features), linear(features))
    assert torch.allclose(dual.eval()(features), linear(features).log_softmax(1), atol=1e-6)


def test_a_checkpoint_of_its_own_keeps_the_heads_apart():
    classifier, other = make(), DualHeadClassifier(5, 3).double()
    other.load_state_dict(classifier.state_dict())
    for name, value in classifier.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_without_a_bias():
    linear, dual = LinearClassifier(5, 3, bias=False), DualHeadClassifier(5, 3, bias=False, class_counts=COUNTS)
    dual.load_state_dict(linear.state_dict(), strict=False)
    assert dual.original_bias is None
    assert torch.allclose(dual.eval()(torch.ones(1, 3)), linear(torch.ones(1, 3)).log_softmax(1))


def test_in_a_head_the_scores_are_the_joined_probabilities():
    head = LongTailClsHead(5, 3, dict(type='DualHeadClassifier', class_counts=COUNTS)).eval()
    with torch.no_grad():
        head.classifier.weight.add_(1)
    features = torch.randn(1, 3)
    calibrated = (features @ head.classifier.weight.T + head.classifier.bias).softmax(1)
    original = (features @ head.classifier.original_weight.T + head.classifier.original_bias).softmax(1)
    joined = torch.cat([original[:, :1], calibrated[:, 1:2], original[:, 2:3], calibrated[:, 3:]], dim=1)
    assert torch.allclose(head.predict((features, ))[0].pred_score, joined / joined.sum(), atol=1e-6)


def test_wrong_threshold():
    with pytest.raises(ConfigError, match='threshold of DualHeadClassifier must be a number 0 or more, but is -1'):
        DualHeadClassifier(5, 3, threshold=-1)


def test_repr():
    built = CLASSIFIERS.build(dict(type='DualHeadClassifier', num_classes=5, in_channels=3))
    assert repr(built) == 'DualHeadClassifier(num_classes=5, in_channels=3, bias=True, threshold=100)'
