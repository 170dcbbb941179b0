"""Tests of ltkit.models.classifiers.cosine_classifier."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.classifiers import CosineClassifier
from ltkit.registry import CLASSIFIERS
from ltkit.utils.errors import ConfigError


def scaled_cosine(x, w, scale):
    dot = sum(a * b for a, b in zip(x, w))
    return scale * dot / math.sqrt(sum(a * a for a in x)) / math.sqrt(sum(b * b for b in w))


def test_equation():
    classifier = CLASSIFIERS.build(dict(type='CosineClassifier', num_classes=3, in_channels=4, scale=16))
    classifier.double()
    with torch.no_grad():
        classifier.weight.mul_(torch.tensor([[0.1], [1], [7]]))
    features = 3 * torch.randn(5, 4, dtype=torch.float64)
    expected = [[scaled_cosine(x, w, 16) for w in classifier.weight.tolist()] for x in features.tolist()]
    assert torch.allclose(classifier(features), torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)


def test_gradient():
    classifier = CosineClassifier(3, 4).double()
    features = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)

    def logits(x, w):
        return torch.func.functional_call(classifier, dict(weight=w), (x, ))

    assert torch.autograd.gradcheck(logits, (features, classifier.weight))


def test_rows_start_at_unit_length_in_all_directions():
    weight = CosineClassifier(50, 8).weight
    assert torch.allclose(weight.norm(dim=1), torch.ones(50))
    assert weight.min() < -0.3 < 0.3 < weight.max()


def test_defaults():
    classifier = CosineClassifier(3, 4)
    assert classifier.scale == 30.0
    assert sorted(classifier.state_dict()) == ['weight']
    assert 'scale=30' in repr(classifier)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('size', [0.0, 1e-4, 1e4])
def test_half_precision_keeps_its_digits(dtype, size):
    classifier = CosineClassifier(3, 512)
    features = (size * torch.randn(2, 512).sign()).to(dtype).requires_grad_()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits = classifier(features)
    logits.sum().backward()
    assert logits.dtype == torch.float32
    assert torch.allclose(logits, classifier(features.float()))
    assert (logits.abs().max() > 0.1) == (size > 0)
    assert features.grad.isfinite().all()
    assert bool(features.grad.any()) == (size > 0)


def test_compiles_without_a_graph_break():
    torch._dynamo.reset()
    classifier = CosineClassifier(3, 4)
    features = torch.randn(5, 4)
    compiled = torch.compile(classifier, backend='eager', fullgraph=True)
    assert torch.allclose(compiled(features), classifier(features))


def test_wrong_scale():
    with pytest.raises(ConfigError, match='scale of CosineClassifier must be above 0, but is -1'):
        CosineClassifier(3, 4, scale=-1)


def test_squashed_features():
    """OLTR's: the length counts, up to one; zeros have a gradient."""
    classifier = CosineClassifier(3, 4, scale=16, squash=True).double()
    features = 3 * torch.randn(5, 4, dtype=torch.float64)
    expected = [[scaled_cosine(x, w, 16 * math.hypot(*x) / (1 + math.hypot(*x))) for w in classifier.weight.tolist()]
                for x in features.tolist()]
    assert torch.allclose(classifier(features), torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)
    zeros = torch.zeros(1, 4, dtype=torch.float64, requires_grad=True)
    classifier(zeros)[0, 0].backward()
    assert torch.allclose(zeros.grad, 16 * classifier.weight[:1] / classifier.weight[:1].norm())
