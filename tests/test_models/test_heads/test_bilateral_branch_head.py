"""Tests of ltkit.models.heads.bilateral_branch_head."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ltkit.distribution_aware import distribution_aware_parts
from ltkit.registry import HEADS, LOSSES
from ltkit.structures import BatchedSamples, DataSample
from ltkit.utils.errors import ConfigError

COUNTS = [500, 60, 9, 5]
CLASSES, WIDTH, PAIRS = len(COUNTS), 3, 5
LOSSES_TRIED = ['SoftmaxLoss', 'WeightedSoftmaxLoss', 'BalancedSoftmaxLoss', 'LDAMLoss', 'GeneralizedReweightLoss',
                'InfluenceBalancedLoss']


class FeatureNorm(nn.Module):
    """A regulariser of features and targets."""

    def forward(self, features, logits, target):
        return (features.square().sum(1) * (1 + target)).mean()


def build(**kwargs):
    head = HEADS.build({**dict(type='BilateralBranchHead', num_classes=CLASSES, in_channels=2 * WIDTH), **kwargs})
    for part in distribution_aware_parts(head).values():
        part.set_class_distribution(COUNTS)
    return head.double()


def features(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(PAIRS, WIDTH, dtype=torch.float64, generator=generator, requires_grad=True)
                 for _ in range(2))


def labels():
    """Of the pairs: 0 3, 1 3, 0 2, 2 3, 0 1."""
    return torch.tensor([0, 3, 1, 3, 0, 2, 2, 3, 0, 1])


def by_hand(head, feats, alpha, target):
    """The loss and its gradients to the features, weight and bias; loops and the logarithm alone."""
    weight, bias = head.classifier.weight.tolist(), head.classifier.bias.tolist()
    one, two = (part.tolist() for part in feats)
    total = 0.0
    grads = [[[0.0] * WIDTH for _ in range(PAIRS)] for _ in range(2)]
    grad_weight, grad_bias = [[0.0] * 2 * WIDTH for _ in range(CLASSES)], [0.0] * CLASSES
    for i in range(PAIRS):
        mixed = [2 * alpha * x for x in one[i]] + [2 * (1 - alpha) * x for x in two[i]]
        z = [sum(w * x for w, x in zip(weight[c], mixed)) + bias[c] for c in range(CLASSES)]
        norm = sum(math.exp(value) for value in z)
        for share, label in ((alpha, target[2 * i]), (1 - alpha, target[2 * i + 1])):
            total -= share * (z[label] - math.log(norm)) / PAIRS
            for c in range(CLASSES):
                slope = share * (math.exp(z[c]) / norm - (c == label)) / PAIRS
                grad_bias[c] += slope
                for k in range(2 * WIDTH):
                    grad_weight[c][k] += slope * mixed[k]
                    branch, factor = (0, alpha) if k < WIDTH else (1, 1 - alpha)
                    grads[branch][i][k % WIDTH] += slope * weight[c][k] * 2 * factor
    return total, [*grads, grad_weight, grad_bias]


@pytest.mark.parametrize('epoch', [0, 1, 60, 99])
def test_equation(epoch):
    head, feats = build(), features()
    head.set_epoch(epoch, 100)
    alpha = 1 - ((epoch + 1 - 1) / 100)**2
    loss = head.loss(feats, BatchedSamples(labels()))['loss']
    value, grads = by_hand(head, feats, alpha, labels().tolist())
    assert loss.item() == pytest.approx(value, abs=1e-10)
    found = torch.autograd.grad(loss, [*feats, head.classifier.weight, head.classifier.bias])
    for one, expected in zip(found, grads):
        assert torch.allclose(one, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-10)


def test_equation_in_float32():
    head, feats = build(), features()
    head.set_epoch(60, 100)
    value, grads = by_hand(head, feats, 1 - 0.6**2, labels().tolist())
    head.float()
    feats = [part.detach().float().requires_grad_() for part in feats]
    loss = head.loss(feats, BatchedSamples(labels()))['loss']
    assert loss.dtype == torch.float32 and loss.item() == pytest.approx(value, abs=1e-5)
    for one, expected in zip(torch.autograd.grad(loss, feats), grads):
        assert torch.allclose(one, torch.tensor(expected), rtol=0, atol=1e-5)


def test_weights_of_the_epochs():
    """1 in the first epoch, falling as a parabola, above 0 in the last."""
    head = build()
    alphas = [head.weight_in(epoch, 200) for epoch in range(200)]
    assert alphas[0] == 1 and alphas[100] == 0.75 and alphas[199] == pytest.approx(1 - 0.995**2)
    assert alphas == sorted(alphas, reverse=True)
    assert head.alpha == 1  # before training
    assert [build().weight_in(0, epochs) for epochs in (1, 2)] == [1, 1]


@pytest.mark.parametrize('div_epochs, max_epochs, last', [
    (None, 90, 90), (None, 180, 180), ('official', 90, 100), ('official', 180, 200), ('official', 200, 200),
    ('official', 91, 91), (300, 200, 300), (200, None, 200)])
def test_div_epochs(div_epochs, max_epochs, last):
    head = build(div_epochs=div_epochs)
    epoch = (max_epochs or 200) - 1
    assert head.weight_in(epoch, max_epochs) == 1 - (epoch / last)**2
    head.set_epoch(epoch, max_epochs)
    assert head.alpha.dtype == torch.float64 and head.alpha.item() == 1 - (epoch / last)**2


def test_first_epoch_learns_of_the_conventional_branch_alone():
    head, feats = build(), features()
    head.set_epoch(0, 10)
    loss = head.loss(feats, BatchedSamples(labels()))['loss']
    z = 2 * feats[0] @ head.classifier.weight[:, :WIDTH].T + head.classifier.bias
    assert torch.allclose(loss, nn.functional.cross_entropy(z, labels()[0::2]), atol=1e-12)
    loss.backward()
    assert feats[0].grad.abs().sum() > 0 and feats[1].grad.abs().sum() == 0


@pytest.mark.parametrize('name', LOSSES_TRIED)
def test_any_loss_in_place_of_cross_entropy(name):
    classifier = dict(type='CosineClassifier', scale=10) if name == 'LDAMLoss' else dict(type='LinearClassifier')
    head, feats = build(loss=dict(type=name), classifier=classifier), features()
    head.set_epoch(70, 100)
    alpha = 1 - 0.7**2
    mixed = 2 * torch.cat([alpha * feats[0], (1 - alpha) * feats[1]], 1)
    loss = LOSSES.build(dict(type=name, class_counts=COUNTS))
    if name == 'LDAMLoss':
        loss.set_scale(10)
    more = dict(features=mixed) if loss.needs_features else {}
    want = [loss(head.classifier(mixed), labels()[place::2], **more) for place in (0, 1)]
    found = head.loss(feats, BatchedSamples(labels()))['loss']
    assert found.item() == pytest.approx((alpha * want[0] + (1 - alpha) * want[1]).item(), abs=1e-10)


def test_all_terms_are_mixed():
    head, feats = build(regularizers=[FeatureNorm()], cal_acc=True), features()
    head.set_epoch(70, 100)
    alpha = 1 - 0.7**2
    losses = head.loss(feats, BatchedSamples(labels()))
    assert list(losses) == ['loss', 'loss_feature_norm', 'accuracy_top1']
    mixed = head.mix(feats)
    terms = [FeatureNorm()(mixed, None, labels()[place::2]) for place in (0, 1)]
    assert torch.allclose(losses['loss_feature_norm'], alpha * terms[0] + (1 - alpha) * terms[1])
    hits = [(head.classifier(mixed).argmax(1) == labels()[place::2]).double().mean() * 100 for place in (0, 1)]
    assert losses['accuracy_top1'].item() == pytest.approx((alpha * hits[0] + (1 - alpha) * hits[1]).item(), rel=1e-6)


def test_weights_of_the_samples():
    head, feats = build(), features()
    head.set_epoch(70, 100)
    weight = torch.arange(2 * PAIRS, dtype=torch.float64)
    found = head.loss(feats, BatchedSamples(labels()), weight=weight)['loss']
    alpha, z = 1 - 0.7**2, head.classifier(head.mix(feats))
    each = [nn.functional.cross_entropy(z, labels()[place::2], reduction='none') * weight[place::2]
            for place in (0, 1)]
    assert torch.allclose(found, (alpha * each[0] + (1 - alpha) * each[1]).mean(), atol=1e-12)


def test_prediction_takes_both_branches_evenly():
    """[f_c ; f_r], whatever the epoch: what training has at alpha = 1/2."""
    head, feats = build(posthoc=[dict(type='LogitAdjustment', class_counts=COUNTS)]), features()
    head.set_epoch(90, 100)
    logits = head(feats)
    assert torch.equal(logits, head.classifier(torch.cat(feats, 1)))
    assert torch.equal(head.pre_logits(feats), torch.cat(feats, 1))
    scores = torch.stack([sample.pred_score for sample in head.predict(feats)])
    prior = torch.tensor(COUNTS, dtype=torch.float64) / sum(COUNTS)
    assert torch.allclose(scores, (logits - prior.log()).softmax(1), atol=1e-12)
    head.alpha.fill_(0.5)
    assert torch.allclose(head.mix(feats), torch.cat(feats, 1))


def test_names_of_the_classes_do_not_matter():
    order = torch.tensor([2, 0, 3, 1])
    head, feats = build(), features()
    head.set_epoch(70, 100)
    renamed = build()
    renamed.set_epoch(70, 100)
    with torch.no_grad():
        renamed.classifier.weight[order] = head.classifier.weight
        renamed.classifier.bias[order] = head.classifier.bias
    found = renamed.loss(feats, BatchedSamples(order[labels()]))['loss']
    assert torch.allclose(found, head.loss(feats, BatchedSamples(labels()))['loss'], atol=1e-12)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_finite_under_autocast(dtype):
    head = build().float()
    head.set_epoch(70, 100)
    feats = [1e3 * part.detach().float().requires_grad_() for part in features()]
    with torch.autocast('cpu', dtype=dtype):
        loss = head.loss(feats, BatchedSamples(labels()))['loss']
    loss.backward()
    assert loss.dtype == torch.float32 and torch.isfinite(loss)
    assert torch.isfinite(head.classifier.weight.grad).all()


def test_compiles_once_for_all_epochs():
    head, feats = build(), features()

    def terms(one, two):
        logits = head.classifier(head.mix((one, two)))
        return [head.loss_terms(None, logits, labels()[place::2])['loss'] for place in (0, 1)]

    compiled = torch.compile(terms, backend='eager', fullgraph=True)
    torch._dynamo.utils.counters.clear()
    for epoch in (0, 30, 60, 99):
        head.set_epoch(epoch, 100)
        assert torch.equal(torch.stack(compiled(*feats)), torch.stack(terms(*feats)))
    assert torch._dynamo.utils.counters['stats']['unique_graphs'] == 1


def test_the_weight_is_no_part_of_a_checkpoint():
    """It depends on the epoch alone, which a resumed run knows."""
    assert 'alpha' not in build().state_dict()


@pytest.mark.parametrize('arguments, message', [
    (dict(div_epochs=0), r"head.div_epochs must be a whole number from 1 on, 'official', or None .* but is 0"),
    (dict(div_epochs='offical'), "but is 'offical'"),
    (dict(div_epochs=True), 'but is True'),
    (dict(loss=dict(type='RIDELoss')), 'takes a loss of single logits, but RIDELoss is one of several experts'),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        build(**arguments)


def test_epochs_that_do_not_fit():
    with pytest.raises(ConfigError, match=r'head\.div_epochs is 100, but training has 200 epochs'):
        build(div_epochs=100).set_epoch(0, 200)
    with pytest.raises(ConfigError, match=r'head\.div_epochs is 100, but training has 101 epochs'):
        build(div_epochs=100).set_epoch(100)
    for div_epochs in (None, 'official'):
        with pytest.raises(ConfigError, match=f'div_epochs={div_epochs!r} needs the number of epochs'):
            build(div_epochs=div_epochs).set_epoch(0)


@pytest.mark.parametrize('feats, message', [
    (features()[:1], 'features of two branches, but the backbone gives 1; use a backbone of two branches'),
    ((*features(), features()[0]), 'but the backbone gives 3'),
    ([part[:, :2] for part in features()], 'head.in_channels is 6, but the features have 4 channels'),
])
def test_bad_features(feats, message):
    head = build()
    for run in (head, lambda feats: head.loss(feats, BatchedSamples(labels()))):
        with pytest.raises(ConfigError, match=message):
            run(feats)


@pytest.mark.parametrize('number', [5, 9, 12])
def test_samples_that_are_no_pairs(number):
    samples = [DataSample().set_gt_label(0) for _ in range(number)]
    with pytest.raises(ConfigError, match=f'takes pairs of samples, but gets {number} samples for 5 pairs'):
        build().loss(features(), samples)
