"""Tests of ltkit.models.classifiers.ncm_classifier."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.dist import all_reduce

from ltkit.models.classifiers import NCMClassifier, ncm_classifier
from ltkit.models.classifiers.ncm_classifier import NORMALIZATIONS, SIMILARITIES
from ltkit.models.posthoc import LogitAdjustment
from ltkit.registry import CLASSIFIERS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError, DataError, TrainingError

CLASSES, CHANNELS, SAMPLES = 5, 7, 40


def training_set(absent=()):
    """Features away from the origin, float64 ``(40, 7)``, and labels of an uneven distribution."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([c for c, n in enumerate([20, 9, 6, 4, 1]) for _ in range(n)])
    labels = labels[torch.randperm(SAMPLES, generator=generator)]
    labels = torch.where(torch.isin(labels, torch.tensor(list(absent), dtype=torch.int64)), 0, labels)
    means = torch.randn(CLASSES, CHANNELS, generator=generator, dtype=torch.float64)
    noise = torch.randn(SAMPLES, CHANNELS, generator=generator, dtype=torch.float64)
    return 3 + means[labels] + 0.5 * noise, labels


def fitted(classifier, features, labels, batch=SAMPLES, reduce=lambda tensor: tensor):
    for pass_index in range(classifier.fit_passes):
        classifier.begin_fit(pass_index)
        for x, y in zip(features.split(batch), labels.split(batch)):
            classifier.fit(x, y)
        classifier.end_fit(pass_index, reduce)
    return classifier


def of_the_official_code(x, y, queries, normalization, similarity):
    """Features normalised and averaged one by one."""
    centre = [sum(row[k] for row in x.tolist()) / len(x) for k in range(CHANNELS)]

    def normalised(row):
        if normalization == 'cl2n':
            row = [a - m for a, m in zip(row, centre)]
        length = 1 if normalization == 'un' else sum(a * a for a in row)**0.5
        return [a / length for a in row]

    rows = [normalised(row) for row in x.tolist()]
    means = []
    for c in range(CLASSES):
        own = [row for row, label in zip(rows, y.tolist()) if label == c]
        means.append([sum(row[k] for row in own) / len(own) for k in range(CHANNELS)])

    def score(row, mean):
        product = sum(a * b for a, b in zip(row, mean))
        if similarity == 'dot':
            return product / CHANNELS
        if similarity == 'cosine':
            return product / sum(a * a for a in row)**0.5 / sum(b * b for b in mean)**0.5
        return -sum((a - b)**2 for a, b in zip(row, mean))

    return torch.tensor([[score(normalised(row), mean) for mean in means] for row in queries.tolist()],
                        dtype=torch.float64)


@pytest.mark.parametrize('normalization', NORMALIZATIONS)
@pytest.mark.parametrize('similarity', SIMILARITIES)
def test_equation(normalization, similarity):
    x, y = training_set()
    queries = 3 + 2 * torch.randn(11, CHANNELS, dtype=torch.float64)
    expected = of_the_official_code(x, y, queries, normalization, similarity)
    classifier = CLASSIFIERS.build(dict(type='NCMClassifier', num_classes=CLASSES, in_channels=CHANNELS,
                                        normalization=normalization, similarity=similarity))
    single = copy.deepcopy(classifier)
    assert (fitted(classifier.double(), x, y)(queries) - expected).abs().max() <= 1e-10
    torch.testing.assert_close(fitted(single, x.float(), y)(queries.float()).double(), expected, rtol=1e-6, atol=1e-5)
    assert classifier.class_samples.tolist() == [20, 9, 6, 4, 1]


def test_defaults():
    classifier = NCMClassifier(CLASSES, CHANNELS)
    assert (classifier.normalization, classifier.similarity, classifier.fit_passes) == ('cl2n', 'euclidean', 2)
    assert NCMClassifier(CLASSES, CHANNELS, 'l2n').fit_passes == NCMClassifier(CLASSES, CHANNELS, 'un').fit_passes == 1
    assert not list(classifier.parameters())
    assert sorted(classifier.state_dict()) == ['class_samples', 'feature_mean', 'means']
    assert "normalization='cl2n', similarity='euclidean'" in repr(classifier)


@pytest.mark.parametrize('normalization', NORMALIZATIONS)
def test_batches_and_their_order_do_not_matter(normalization):
    x, y = training_set()
    order = torch.randperm(SAMPLES)
    one = fitted(NCMClassifier(CLASSES, CHANNELS, normalization).double(), x, y)
    two = fitted(NCMClassifier(CLASSES, CHANNELS, normalization).double(), x[order], y[order], batch=3)
    assert torch.allclose(one.means, two.means, rtol=0, atol=1e-14)


def test_classes_may_be_permuted():
    x, y = training_set()
    order = torch.tensor([3, 0, 4, 1, 2])
    one = fitted(NCMClassifier(CLASSES, CHANNELS).double(), x, y)
    two = fitted(NCMClassifier(CLASSES, CHANNELS).double(), x, order[y])
    assert torch.allclose(two(x)[:, order], one(x), rtol=0, atol=1e-14)


def test_sums_keep_what_float32_would_lose():
    x = torch.ones(4097, 1)
    x[0] = 2.0**25
    classifier = fitted(NCMClassifier(1, 1, 'un'), x, torch.zeros(4097, dtype=torch.int64), batch=1)
    assert classifier.means.item() == torch.tensor((2.0**25 + 4096) / 4097).item()
    assert sum(x[:, 0]) == 2.0**25  # as it would be without


def _of_a_share(rank, world_size, normalization):
    def reduce(tensor):
        total = tensor.clone()
        all_reduce(total)
        return total

    x, y = training_set(absent=[2])
    share = [slice(0, 27), slice(27, 27), slice(27, None)][rank]  # one of them has nothing
    classifier = fitted(NCMClassifier(CLASSES, CHANNELS, normalization).double(), x[share], y[share], 4, reduce)
    return {name: value.numpy() for name, value in classifier.state_dict().items()}


@pytest.mark.parametrize('normalization', ['cl2n', 'un'])
def test_processes_that_share_the_training_set_find_the_means_of_one(normalization):
    one = fitted(NCMClassifier(CLASSES, CHANNELS, normalization).double(), *training_set(absent=[2])).state_dict()
    for found in run_distributed(_of_a_share, 3, normalization):
        for name, value in one.items():
            assert torch.allclose(torch.as_tensor(found[name]), value, rtol=0, atol=1e-14), name


@pytest.mark.parametrize('normalization', NORMALIZATIONS)
@pytest.mark.parametrize('similarity', SIMILARITIES)
@pytest.mark.parametrize('size', [0.0, 1e-3, 1.0, 1e6])
def test_a_class_without_a_sample_is_never_predicted(normalization, similarity, size):
    x, y = training_set(absent=[1, 4])
    classifier = fitted(NCMClassifier(CLASSES, CHANNELS, normalization, similarity), x.float(), y)
    queries = (size * torch.randn(50, CHANNELS)).requires_grad_()
    logits = classifier(queries)
    assert logits.isfinite().all()
    assert (logits[:, [1, 4]].amax(1) < logits[:, [0, 2, 3]].amin(1)).all()
    assert (logits.softmax(1)[:, [1, 4]] == 0).all()
    adjusted = LogitAdjustment(class_counts=[30, 0, 6, 4, 0])(logits)  # which favours empty classes most
    assert not torch.isin(adjusted.argmax(1), torch.tensor([1, 4])).any()
    logits.sum().backward()
    assert queries.grad.isfinite().all()


def test_a_fit_tells_of_classes_without_a_sample(monkeypatch):
    told = []
    monkeypatch.setattr(ncm_classifier, 'print_log', lambda message, *args, **kwargs: told.append(message))
    fitted(NCMClassifier(CLASSES, CHANNELS), *training_set())
    assert not told
    fitted(NCMClassifier(CLASSES, CHANNELS), *training_set(absent=[1, 4]))
    assert told == ['NCMClassifier: 2 of 5 classes have no training image and are never predicted: 1, 4']


def test_without_a_fit_there_are_no_logits():
    classifier = NCMClassifier(CLASSES, CHANNELS)
    x, y = training_set()
    message = "no class means yet.*train_cfg=dict\\(type='FitLoop'\\) and load_from"
    with pytest.raises(ConfigError, match=message):
        classifier(x)
    classifier.begin_fit(0)
    classifier.fit(x, y)
    classifier.end_fit(0, lambda tensor: tensor)
    with pytest.raises(ConfigError, match=message):  # only the first of two passes
        classifier(x)
    fitted(classifier, x, y)(x)
    classifier.begin_fit(0)
    with pytest.raises(ConfigError, match=message):
        classifier(x)


def test_means_travel_in_the_state_dict():
    x, y = training_set()
    one, other = (NCMClassifier(CLASSES, CHANNELS).double() for _ in range(2))
    other.load_state_dict(one.state_dict())
    assert not other.fitted
    other.load_state_dict(fitted(one, x, y).state_dict())
    assert torch.equal(other(x), one(x))
    other.load_state_dict(NCMClassifier(CLASSES, CHANNELS).state_dict())
    with pytest.raises(ConfigError, match='no class means yet'):
        other(x)
    one.load_state_dict(dict(weight=torch.zeros(CLASSES, CHANNELS)), strict=False)  # of a linear classifier
    assert one.fitted


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    x, y = training_set()
    classifier = fitted(NCMClassifier(CLASSES, CHANNELS), x.float(), y)
    narrow = x.to(dtype)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits = classifier(narrow)
    assert logits.dtype == torch.float32
    assert torch.equal(logits, classifier(narrow.float()))


def test_what_cannot_be_fitted():
    x, y = training_set()
    classifier = NCMClassifier(CLASSES, CHANNELS)
    with pytest.raises(ConfigError, match=r'fit\(\) comes after begin_fit\(\)'):
        classifier.fit(x, y)
    classifier.begin_fit(0)
    with pytest.raises(DataError, match='nothing to fit: there was no training sample'):
        classifier.end_fit(0, lambda tensor: tensor)
    for features, labels in ((x[:, 1:], y), (x, y[1:]), (x, torch.zeros(SAMPLES, CLASSES)), (x[:, :, None], y)):
        with pytest.raises(ConfigError, match=r'fitted to features \(N, 7\) of labels \(N,\), but gets'):
            classifier.fit(features, labels)
    broken = x.clone()
    broken[y == 3] = float('nan')
    classifier.fit(broken, y)
    with pytest.raises(TrainingError, match='features of class 3 are not finite'):
        classifier.end_fit(0, lambda tensor: tensor)


def test_wrong_arguments():
    with pytest.raises(ConfigError, match="normalization must be one of cl2n, l2n, un, but is 'l2'; did you mean"):
        NCMClassifier(CLASSES, CHANNELS, normalization='l2')
    with pytest.raises(ConfigError, match="similarity must be one of euclidean, cosine, dot, but is 'cos'"):
        NCMClassifier(CLASSES, CHANNELS, similarity='cos')
