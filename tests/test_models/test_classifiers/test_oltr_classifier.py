"""Tests of ltkit.models.classifiers.oltr_classifier."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ltkit.models.classifiers import LinearClassifier, OLTRClassifier
from ltkit.models.heads.long_tail_cls_head import class_vectors_of
from ltkit.registry import CLASSIFIERS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.dist import sum_over_processes
from ltkit.utils.errors import ConfigError


def reference(h, layers, centroids, scale, reach):
    """Logits of one feature, step by step."""
    weight, bias, selector, shift, classes = layers
    query = np.exp(weight @ h + bias)
    memory = sum(share * centroid for share, centroid in zip(query / query.sum(), centroids))
    distance = min(math.sqrt(sum((h - centroid)**2)) for centroid in centroids)
    v = reach / distance * (h + np.tanh(selector @ h + shift) * memory)
    length = math.sqrt(sum(v * v))
    return [scale * length / (1 + length) * (v @ w) / length / math.sqrt(w @ w) for w in classes]


def drawn(**kwargs):
    torch.manual_seed(0)
    classifier = CLASSIFIERS.build(dict(type='OLTRClassifier', num_classes=5, in_channels=6, **kwargs)).double()
    return classifier, torch.randn(7, 6, dtype=torch.float64)


@pytest.mark.parametrize('kwargs', [{}, dict(scale=3.0, reach=0.5)])
def test_equation(kwargs):
    classifier, features = drawn(**kwargs)
    layers = [part.detach().numpy() for part in (
        classifier.weight, classifier.bias, classifier.selector.weight, classifier.selector.bias,
        classifier.cosine.weight)]
    expected = [reference(h, layers, classifier.centroids.numpy(), kwargs.get('scale', 16), kwargs.get('reach', 10))
                for h in features.numpy()]
    assert np.allclose(classifier(features).detach(), expected, rtol=0, atol=1e-10)
    assert np.allclose(classifier.float()(features.float()).detach(), expected, rtol=1e-5, atol=1e-5)


def test_no_class_vectors():
    """Its weight selects from the memory, and is no classifier of the features."""
    assert class_vectors_of(drawn()[0]) is None


def test_gradient():
    classifier, features = drawn(reach=0.3)
    names, values = zip(*classifier.named_parameters())

    def logits(x, *weights):
        return torch.func.functional_call(classifier, dict(zip(names, weights)), (x, ))

    assert torch.autograd.gradcheck(logits, (features.requires_grad_(), *values))


def test_the_memory_is_a_constant_of_the_logits():
    classifier, features = drawn()
    assert not classifier.centroids.requires_grad
    classifier.centroids.requires_grad_()
    classifier(features).sum().backward()
    assert classifier.centroids.grad is None
    assert classifier.optimizer_options == {'centroids': dict(lr=0.01, scheduled=True)}


def test_a_feature_on_a_centroid_and_one_far_away():
    classifier, features = drawn()
    on = classifier.centroids[:1].clone().requires_grad_()
    logits = classifier(on)
    logits.sum().backward()
    assert torch.isfinite(logits).all() and torch.isfinite(on.grad).all()
    near, far = (classifier(size * features).abs().max() for size in (1, 1e9))
    assert far > 1  # the reachability goes to 10 / |h|, so that |v| goes to 10 and not to 0
    assert near <= 16 and far <= 16


def test_goes_on_from_a_linear_classifier():
    classifier = OLTRClassifier(5, 6)
    missing, unexpected = classifier.load_state_dict(LinearClassifier(5, 6).state_dict(), strict=False)
    assert not unexpected and not {'weight', 'bias'} & set(missing)


def _fitted(rank, world_size):
    classifier = OLTRClassifier(4, 3)
    features = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
    classifier.begin_fit(0)
    for part in torch.arange(10)[rank::world_size].split(3):
        classifier.fit(features[part], labels[part])
    classifier.end_fit(0, sum_over_processes)
    expected = [features[labels == label].mean(0) for label in range(3)] + [features.mean(0)]
    return classifier.centroids, torch.stack(expected)


def test_fit_gives_the_class_means_and_an_empty_class_that_of_all():
    for centroids, expected in (_fitted(0, 1), *run_distributed(_fitted)):
        assert torch.allclose(centroids, expected, atol=1e-6)
    assert OLTRClassifier.fit_passes == 1


def test_compiles_without_a_graph_break():
    torch._dynamo.reset()
    classifier, features = drawn()
    compiled = torch.compile(classifier, backend='eager', fullgraph=True)
    assert torch.allclose(compiled(features), classifier(features))


@pytest.mark.parametrize('kwargs, message', [
    (dict(reach=0), 'reach of OLTRClassifier must be above 0, but is 0'),
    (dict(scale=-1), 'scale of CosineClassifier must be above 0, but is -1'),
    (dict(centroid_lr=-1), 'centroid_lr of OLTRClassifier must be a number 0 or more, but is -1'),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        OLTRClassifier(5, 6, **kwargs)
