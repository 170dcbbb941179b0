"""Tests of ltkit.models.classifiers.etf_classifier."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.classifiers import ETFClassifier
from ltkit.models.classifiers.etf_classifier import simplex_etf
from ltkit.registry import CLASSIFIERS
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError


def reference(rows, vectors, scale, gain, shift, eps=1e-5):
    """Cosines of batch-normalised rows with unit vectors, by loops over plain numbers."""
    columns = list(zip(*rows))
    means = [sum(column) / len(column) for column in columns]
    variances = [sum((x - m)**2 for x in column) / len(column) for column, m in zip(columns, means)]
    logits = []
    for row in rows:
        h = [g * (x - m) / math.sqrt(v + eps) + b for x, m, v, g, b in zip(row, means, variances, gain, shift)]
        length = math.sqrt(sum(x * x for x in h))
        logits.append([scale * sum(a * b for a, b in zip(h, m)) / length for m in vectors])
    return torch.tensor(logits, dtype=torch.float64)


def random_classifier(scale=1.0):
    classifier = ETFClassifier(4, 6, scale).double()
    with torch.no_grad():
        classifier.norm.weight.uniform_(0.5, 2)
        classifier.norm.bias.uniform_(-1, 1)
    return classifier


@pytest.mark.parametrize('scale', [1.0, 16.0])
def test_equation(scale):
    classifier, features = random_classifier(scale), 3 * torch.randn(7, 6, dtype=torch.float64) + 1
    vectors, gain, shift = (t.tolist() for t in (classifier.etf, classifier.norm.weight, classifier.norm.bias))
    expected = reference(features.tolist(), vectors, scale, gain, shift)
    assert (classifier(features) - expected).abs().max() < 1e-10
    assert (classifier.float()(features.float()) - expected).abs().max() < 1e-5 * scale


def test_gradient_of_features_gain_and_shift():
    classifier, features = random_classifier(), torch.randn(5, 6, dtype=torch.float64, requires_grad=True)

    def logits(x, gain, shift):
        return torch.func.functional_call(classifier, {'norm.weight': gain, 'norm.bias': shift}, (x, ))

    assert torch.autograd.gradcheck(logits, (features, classifier.norm.weight, classifier.norm.bias))


@pytest.mark.parametrize(('classes', 'channels'), [(2, 2), (10, 10), (10, 64), (100, 128)])
def test_vectors_are_a_simplex_equiangular_tight_frame(classes, channels):
    torch.set_default_dtype(torch.float64)
    try:
        frame = simplex_etf(classes, channels)
    finally:
        torch.set_default_dtype(torch.float32)
    gram = torch.full((classes, classes), -1 / (classes - 1), dtype=torch.float64).fill_diagonal_(1)
    assert frame.shape == (classes, channels)
    assert (frame @ frame.T - gram).abs().max() < 1e-12
    assert frame.sum(dim=0).abs().max() < 1e-12


def test_the_frame_is_in_no_preferred_direction():
    torch.manual_seed(0)
    mean = torch.stack([simplex_etf(3, 4)[0] for _ in range(2000)]).mean(dim=0)
    assert mean.norm() < 0.1  # of vectors of length 1; 0.05 is expected at the most


def test_one_class_has_a_vector_of_length_1():
    assert simplex_etf(1, 5).norm().item() == pytest.approx(1, 1e-6)


def test_in_evaluation_the_running_statistics_normalise():
    classifier, features = random_classifier(), torch.randn(9, 6, dtype=torch.float64)
    classifier.norm.momentum = 1.0  # so that those of this batch are kept as they are
    classifier(features)
    running = classifier.eval()(features)
    variance = features.var(dim=0, unbiased=True)
    h = (features - features.mean(dim=0)) / (variance + 1e-5).sqrt() * classifier.norm.weight + classifier.norm.bias
    expected = h / h.norm(dim=1, keepdim=True) @ classifier.etf.T
    assert torch.allclose(running, expected, rtol=0, atol=1e-12)


def test_without_batch_norm_it_is_the_cosine_and_nothing_learns():
    classifier, features = ETFClassifier(3, 4, batch_norm=False).double(), torch.randn(5, 4, dtype=torch.float64)
    expected = [[sum(a * b for a, b in zip(x, m)) / math.hypot(*x) for m in classifier.etf.tolist()]
                for x in features.tolist()]
    assert (classifier(features) - torch.tensor(expected, dtype=torch.float64)).abs().max() < 1e-12
    assert not list(classifier.parameters())


def test_the_frame_is_a_buffer_of_the_checkpoint():
    first, second = ETFClassifier(3, 4), ETFClassifier(3, 4)
    assert not torch.equal(first.etf, second.etf)
    assert 'etf' not in dict(first.named_parameters())
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.etf, second.etf)


def frame_of_a_process(rank, world_size):
    torch.manual_seed(rank)  # as with randomness=dict(diff_rank_seed=True)
    return ETFClassifier(3, 4).etf.tolist()


def test_all_processes_have_one_frame():
    first, second = run_distributed(frame_of_a_process, 2)
    assert first == second


def test_a_training_batch_of_one_sample():
    """The variance of one sample is 0; the running statistics take its place, and are left as they are."""
    classifier, features = random_classifier(), torch.randn(1, 6, dtype=torch.float64)
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    logits = classifier(features)
    assert torch.equal(logits, classifier.eval()(features))
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_keeps_its_digits(dtype):
    classifier, features = ETFClassifier(3, 512).eval(), torch.randn(2, 512).to(dtype).requires_grad_()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits = classifier(features)
    logits.sum().backward()
    assert logits.dtype == torch.float32
    assert torch.allclose(logits, classifier(features.float()))
    assert features.grad.isfinite().all()


def test_too_few_channels():
    with pytest.raises(ConfigError, match=r'ETFClassifier of 100 classes needs features of at least as many channels, '
                                          r'but in_channels is 64; make the backbone wider \(base_channels'):
        ETFClassifier(100, 64)


def test_wrong_scale():
    for scale in (0, -1):
        with pytest.raises(ConfigError, match='scale of ETFClassifier must be '):
            ETFClassifier(3, 4, scale=scale)


def test_defaults():
    classifier = CLASSIFIERS.build(dict(type='ETFClassifier', num_classes=3, in_channels=4))
    assert classifier.scale == 1.0
    assert [name for name, _ in classifier.named_parameters()] == ['norm.weight', 'norm.bias']
    assert 'num_classes=3, in_channels=4, scale=1' in repr(classifier)
