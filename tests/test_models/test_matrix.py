"""Every loss with every classifier and sampler trains on digits, and every post-hoc rule applies to the result."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ltkit import ClassDistribution
from ltkit.datasets import DigitsLT
from ltkit.distribution_aware import distribution_aware_parts
from ltkit.models.classifiers import CausalNormClassifier
from ltkit.models.heads import LongTailClsHead
from ltkit.registry import HEADS, LOSSES, POSTHOC, SAMPLERS
from ltkit.structures import BatchedSamples
from ltkit.utils.errors import ConfigError

CLASSIFIERS = ['LinearClassifier', 'CosineClassifier']
SAMPLER_NAMES = ['InstanceBalancedSampler', 'ClassAwareSampler', 'ProgressivelyBalancedSampler']
OTHERS = {  # each with one sampler
    'TauNormClassifier': SAMPLER_NAMES[0], 'LWSClassifier': SAMPLER_NAMES[1], 'DisAlignClassifier': SAMPLER_NAMES[2],
    'ETFClassifier': SAMPLER_NAMES[0], 'DualHeadClassifier': SAMPLER_NAMES[1], 'OLTRClassifier': SAMPLER_NAMES[1],
    'CausalNormClassifier': SAMPLER_NAMES[0]}
CHANNELS, EXPERTS, EPOCHS, STEPS, BATCH = 32, 2, 2, 6, 48
OPTIONS = {'SoftmaxEqualizationLoss': dict(lambda_=0.1)}  # its default finds no rare class here
# Rules with the arguments they are tried with, and what they make of logits (N, C) and features (N, d), up to a
# constant a sample.
RULES = {
    'LogitAdjustment': (dict(tau=1.5), lambda z, n, head, x: z - 1.5 * n.log()),
    'PriorCompensation': ({}, lambda z, n, head, x: z - n.log()),
    'UNOIC': (dict(beta=0.4), lambda z, n, head, x: z - 0.4 * n.log()),
    'TauNormalization': (dict(tau=0.7), lambda z, n, head, x: features_times_weights(z, head, 0.7)),
    'TemperatureScaling': (dict(temperature=2.0), lambda z, n, head, x: z / 2),
    'TotalDirectEffect': (dict(alpha=1.0), lambda z, n, head, x: without_common_direction(x, head.classifier, 1.0)),
}
NEEDS = {'TauNormalization': nn.Linear, 'TotalDirectEffect': CausalNormClassifier}  # the classifier


def registered(registry) -> list[str]:
    """Names of ltkit's own parts; plugins that other tests import are not meant."""
    return [name for name in registry.names() if registry.get(name).__module__.startswith('ltkit.')]


def features_times_weights(logits: Tensor, head: LongTailClsHead, tau: float) -> Tensor:
    weight, bias = head.classifier.weight, head.classifier.bias
    return torch.stack([(logits[:, c] - bias[c]) / weight[c].square().sum()**(tau / 2) for c in range(len(weight))], 1)


def without_common_direction(features: Tensor, classifier: CausalNormClassifier, alpha: float) -> Tensor:
    heads, logits = classifier.num_heads, 0.0
    for x, w, m in zip(features.chunk(heads, 1), classifier.weight.double().chunk(heads, 1),
                       classifier.moving_feature.double().chunk(heads)):
        x, m = x / x.norm(dim=1, keepdim=True).clamp(min=1e-6), m / m.norm()
        x = x - alpha * (x @ m)[:, None] * m
        logits = logits + classifier.tau / heads * x @ (w / (w.norm(dim=1, keepdim=True) + classifier.gamma)).T
    return logits


@cache
def digits() -> tuple[DigitsLT, Tensor, Tensor]:
    """The data set, its images as rows, and their labels."""
    dataset = DigitsLT(split='train', imbalance_factor=20)
    images = np.stack([dataset[i]['img'] for i in range(len(dataset))])
    return dataset, (torch.from_numpy(images).flatten(1).float() - 78) / 96, torch.tensor(dataset.get_gt_labels())


class TinyModel(nn.Module):
    """One hidden layer (an expert) and a head of ltkit."""

    def __init__(self, loss: str, classifier: str) -> None:
        super().__init__()
        part = dict(type=loss, **OPTIONS.get(loss, {}))
        several = len(LOSSES.build(part).score_dims) == 3
        self.hidden = nn.ModuleList(nn.Linear(64, CHANNELS) for _ in range(EXPERTS if several else 1))
        self.head = HEADS.build(dict(
            type='MultiExpertHead' if several else 'LongTailClsHead', num_classes=10, in_channels=CHANNELS,
            loss=part, classifier=dict(type=classifier), **(dict(num_experts=EXPERTS) if several else {})))
        self.set_counts(self.head)

    def set_counts(self, module: nn.Module) -> None:
        for part in distribution_aware_parts(module).values():
            part.set_class_distribution(ClassDistribution.from_dataset(digits()[0]))

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(hidden(images).relu() for hidden in self.hidden)

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        torch.manual_seed(0)  # of the losses that draw
        return self.head.loss(self.features(images), BatchedSamples(labels))['loss']


def train(model: TinyModel, sampler_name: str) -> None:
    dataset, images, labels = digits()
    sampler = SAMPLERS.build(dict(type=sampler_name, dataset=dataset, seed=0, num_samples=STEPS * BATCH))
    if hasattr(sampler, 'set_max_epochs'):
        sampler.set_max_epochs(EPOCHS)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        model.head.loss_module.set_epoch(epoch, EPOCHS)
        for batch in torch.tensor(list(sampler)).split(BATCH):
            optimizer.zero_grad()
            loss = model.loss(images[batch], labels[batch])
            assert loss.isfinite()
            loss.backward()
            optimizer.step()


@pytest.mark.parametrize(('classifier', 'sampler'), [
    *((classifier, sampler) for classifier in CLASSIFIERS for sampler in SAMPLER_NAMES),
    *OTHERS.items()])
@pytest.mark.parametrize('loss', registered(LOSSES))
def test_trains_and_takes_every_rule(loss, classifier, sampler):
    torch.manual_seed(0)
    model = TinyModel(loss, classifier)
    _, images, labels = digits()
    before = model.loss(images, labels).item()
    train(model, sampler)
    assert model.loss(images, labels).item() < before - 0.05 * abs(before)
    check_rules(model.eval(), images)


@torch.no_grad()
def check_rules(model: TinyModel, images: Tensor) -> None:
    features = model.features(images)
    logits = model.head.predict_logits(features).double()
    counts = torch.tensor(digits()[0].class_distribution.counts).double()
    assert logits.isfinite().all()
    for name, (arguments, equation) in RULES.items():
        if not isinstance(getattr(model.head, 'classifier', None), NEEDS.get(name, nn.Module | None)):
            with pytest.raises(ConfigError, match='needs one'):
                model.head.build_posthoc([dict(type=name, **arguments)])
            continue
        model.head.posthoc = model.head.build_posthoc([dict(type=name, **arguments)])
        model.set_counts(model.head.posthoc)
        found = torch.stack([sample.pred_score for sample in model.head.predict(features)]).double()
        expected = equation(logits, counts, model.head, features[0].double()).softmax(1)
        assert torch.allclose(found, expected, rtol=0, atol=1e-5), name
        assert (found - logits.softmax(1)).abs().max() > 1e-3, f'{name} changes nothing'


def test_every_rule_is_tried():
    assert set(RULES) == set(registered(POSTHOC))
