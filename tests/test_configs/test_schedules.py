"""The learning rate of each recipe, epoch by epoch, against the formula of its paper."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest
import torch

from ltkit.config import load_config
from ltkit.registry import PARAM_SCHEDULERS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@cache
def config_of(name: str):
    return load_config(CONFIGS / f'{name}.py')


def warm_up(epoch: int, epochs: int = 5) -> float:
    return min((epoch + 1) / epochs, 1)


def steps(epoch: int, factor: float, *milestones: int) -> float:
    return factor ** sum(epoch >= milestone for milestone in milestones)


def cosine(epoch: int, epochs: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * epoch / epochs))


# Epochs, batch, weight decay, Nesterov, and the learning rate of the 0-based epoch (or iteration).
RECIPES = {
    'erm/r32_cifar100_lt': (200, 128, 2e-4, False, lambda e: 0.1 * warm_up(e) * steps(e, 0.01, 160, 180)),
    'ldam/r32_cifar100_lt': (200, 128, 2e-4, False, lambda e: 0.1 * warm_up(e) * steps(e, 0.01, 160, 180)),
    'influence_balanced/r32_cifar10_lt': (200, 128, 2e-4, False, lambda e: (
        0.1 * warm_up(e) * steps(e, 0.01, 100, 160, 180))),
    'influence_balanced/r32_cifar100_lt': (200, 128, 2e-4, False, lambda e: (
        0.1 * warm_up(e) * steps(e, 0.01, 100, 160, 180))),
    'gcl/r32_cifar100_lt': (200, 64, 2e-4, False, lambda e: 0.1 * warm_up(e) * steps(e, 0.1, 160, 180)),
    'kps/r32_cifar10_lt': (200, 64, 2e-4, False, lambda e: 0.1 * warm_up(e) * steps(e, 0.1, 160, 180)),
    'ride/r32_cifar100_lt': (200, 128, 5e-4, True, lambda e: 0.1 * warm_up(e) * steps(e, 0.01, 160, 180)),
    'bbn/r32_cifar100_lt': (200, 128, 2e-4, True, lambda e: (
        0.1 * (1 / 3 + 2 / 15 * min(e, 5)) * steps(e, 0.01, 120, 160))),
    'bbn/r50_inaturalist2018': (180, 128, 1e-4, True, lambda e: 0.05 * steps(e, 0.1, 120, 160)),
    'bbn/rx50_imagenet_lt_90e': (90, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 90)),
    'balanced_softmax/r32_cifar100_lt_autoaugment': (13000, 512, 5e-4, False, lambda i: (
        0.05 + 0.05 * i / 799 if i < 800 else 0.1 * cosine(i - 800, 12200))),
    'class_difficulty/r32_cifar100_lt_240e': (240, 32, 5e-4, False, lambda e: 0.1 * steps(e, 0.01, 160, 210)),
    'deconfound/r32_cifar100_lt': (200, 256, 5e-4, False, lambda e: (
        0.2 * (1 / 3 + 2 / 15 * min(e, 5)) * steps(e, 0.01, 120, 160))),
    'deconfound/rx50_imagenet_lt': (90, 512, 5e-4, False, lambda e: 0.2 * cosine(e, 90)),
    'erm/r50_imagenet_lt': (90, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 90)),
    'etf/r32_cifar100_lt': (200, 128, 2e-4, False, lambda e: 0.1 * warm_up(e) * steps(e, 0.1, 160, 180)),
    'etf/r50_imagenet_lt': (90, 1024, 5e-4, False, lambda e: 0.1 * cosine(e, 90)),
    'weight_balancing/r32_cifar100_lt_representation': (320, 64, 5e-3, False, lambda e: 0.01 * cosine(e, 320)),
    'weight_balancing/r32_cifar100_lt_classifier': (10, 64, 0, False, lambda e: 0.01 * cosine(e, 10)),
    'erm/rx50_imagenet_lt_200e': (200, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 200)),
    'ldam/r50_imagenet_lt': (90, 256, 5e-4, False, lambda e: 0.1 * warm_up(e) * steps(e, 0.1, 54, 72)),
    'ldam/rx50_imagenet_lt_200e': (200, 256, 5e-4, False, lambda e: 0.1 * warm_up(e) * steps(e, 0.1, 120, 160)),
    'ride/r50_imagenet_lt': (100, 256, 2e-4, True, lambda e: 0.1 * warm_up(e) * steps(e, 0.1, 60, 80)),
    'ride/rx50_imagenet_lt_90e': (90, 256, 2e-4, True, lambda e: 0.1 * warm_up(e) * steps(e, 0.1, 54, 72)),
    'ride/r50_imagenet_lt_200e': (200, 256, 2e-4, True, lambda e: 0.1 * warm_up(e) * steps(e, 0.1, 120, 160)),
    'ride/r50_inaturalist2018': (100, 512, 2e-4, True, lambda e: 0.2 * warm_up(e) * steps(e, 0.1, 60, 80)),
    'oltr/r10_imagenet_lt_representation': (30, 128, 5e-4, False, lambda e: 0.1 * steps(e, 0.1, 10, 20)),
    'oltr/r10_imagenet_lt_classifier': (60, 128, 5e-4, False, lambda e: 0.1 * steps(e, 0.1, 20, 40)),
    'oltr/r152_places_lt_representation': (30, 128, 5e-4, False, lambda e: 0.1 * steps(e, 0.1, 10, 20)),
    'oltr/r152_places_lt_classifier': (30, 128, 5e-4, False, lambda e: 0.01 * steps(e, 0.1, 10, 20)),
    'erm/r50_inaturalist2018': (200, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 200)),
    'decouple/rx50_imagenet_lt_representation': (90, 512, 5e-4, False, lambda e: 0.2 * cosine(e, 90)),
    'decouple/crt_rx50_imagenet_lt_classifier': (10, 512, 5e-4, False, lambda e: 0.2 * cosine(e, 10)),
    'decouple/lws_rx50_imagenet_lt_classifier': (5, 512, 5e-4, False, lambda e: 0.2 * cosine(e, 5)),
    'decouple/r50_inaturalist2018_representation': (90, 512, 1e-4, False, lambda e: 0.2 * cosine(e, 90)),
    'decouple/crt_r50_inaturalist2018_classifier': (30, 512, 1e-4, False, lambda e: 0.2 * cosine(e, 30)),
    'decouple/lws_r50_inaturalist2018_classifier': (5, 512, 1e-4, False, lambda e: 0.2 * cosine(e, 5)),
    'decouple/r152_places_lt_representation': (90, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 90)),
    'decouple/crt_r152_places_lt_classifier': (10, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 10)),
    'decouple/lws_r152_places_lt_classifier': (5, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 5)),
    'decouple/ib_crt_rx50_imagenet_lt_classifier': (10, 256, 5e-4, False, lambda e: 0.1 * steps(e, 0.1, 3, 6, 9)),
    'mislas/r32_cifar10_lt_representation': (200, 128, 2e-4, False, lambda e: (
        0.1 * warm_up(e) * steps(e, 0.1, 160, 180))),
    'mislas/r32_cifar100_lt_representation': (200, 128, 2e-4, False, lambda e: (
        0.1 * warm_up(e) * steps(e, 0.1, 160, 180))),
    'mislas/r32_cifar10_lt_classifier': (10, 128, 2e-4, False, lambda e: 0.1 * cosine(e, 10)),
    'mislas/r32_cifar100_lt_classifier': (10, 128, 2e-4, False, lambda e: 0.1 * cosine(e, 10)),
    'mislas/r50_imagenet_lt_representation': (180, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 180)),
    'mislas/r50_imagenet_lt_classifier': (10, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 10)),
    'mislas/r50_inaturalist2018_representation': (200, 256, 1e-4, False, lambda e: 0.1 * cosine(e, 200)),
    'mislas/r50_inaturalist2018_classifier': (10, 256, 1e-4, False, lambda e: 0.1 * cosine(e, 10)),
    'mislas/r152_places_lt_representation': (90, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 90)),
    'mislas/r152_places_lt_classifier': (10, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 10)),
    'disalign/rx50_imagenet_lt_classifier': (10, 256, 5e-4, False, lambda e: 0.1 * cosine(e, 10)),
    'gcl/r152_places_lt': (90, 512, 5e-4, False, lambda e: 0.2 * warm_up(e) * steps(e, 0.1, 60, 80)),
    'gcl/r32_cifar100_lt_classifier': (30, 64, 2e-4, False, lambda e: 0.002 * cosine(e, 30)),
    'gcl/r152_places_lt_classifier': (30, 512, 5e-4, False, lambda e: 0.002 * cosine(e, 30)),
    'balms/r32_cifar100_lt_classifier': (91, 512, 5e-4, False, lambda e: 0.1 * cosine(e, 91)),
}
# Learning rates of parts of the network, over that of the optimizer.
RATES = {
    'decouple/r152_places_lt_representation': {'backbone': 0.1},
    'mislas/r32_cifar10_lt_classifier': {'head.classifier.weight': 0.5, 'head.classifier.bias': 0.5},
    'mislas/r32_cifar100_lt_classifier': {'head.classifier.weight': 0.2, 'head.classifier.bias': 0.2},
    'mislas/r50_imagenet_lt_classifier': {'head.classifier.weight': 0.05, 'head.classifier.bias': 0.05},
    'mislas/r50_inaturalist2018_classifier': {'head.classifier.weight': 0.05, 'head.classifier.bias': 0.05},
    'mislas/r152_places_lt_classifier': {'head.classifier.weight': 0.05, 'head.classifier.bias': 0.05},
    'oltr/r10_imagenet_lt_classifier': {'backbone': 0.1, 'neck': 0.1},
    'oltr/r152_places_lt_representation': {'backbone': 0.01, 'neck': 0.01},
    'oltr/r152_places_lt_classifier': {'neck': 0.01},
}
# The 0-based epoch from which classes are weighted.
DEFERRED = {
    'ldam/r32_cifar10_lt': 160, 'ldam/r32_cifar100_lt': 160, 'ldam/r50_imagenet_lt': 72, 'ldam/rx50_imagenet_lt': 72,
    'ldam/r50_imagenet_lt_200e': 160, 'ldam/rx50_imagenet_lt_200e': 160, 'ride/r32_cifar10_lt': 160,
    'ride/r32_cifar100_lt': 160, 'ride/r50_imagenet_lt': 80, 'ride/rx50_imagenet_lt': 80,
    'ride/r50_imagenet_lt_90e': 72, 'ride/rx50_imagenet_lt_90e': 72, 'ride/r50_imagenet_lt_200e': 160,
    'ride/rx50_imagenet_lt_200e': 160, 'ride/r50_inaturalist2018': 80,
}


@pytest.mark.parametrize('name', RECIPES)
def test_learning_rate(name):
    length, batch, weight_decay, nesterov, formula = RECIPES[name]
    cfg = config_of(name)
    settings = cfg.optim_wrapper.optimizer
    assert cfg.train_dataloader.batch_size == batch
    assert settings.type == 'SGD' and settings.momentum == 0.9 and settings.weight_decay == weight_decay
    assert settings.get('nesterov', False) == nesterov
    assert (cfg.train_cfg.get('max_epochs') or cfg.train_cfg.max_iters) == length
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=settings.lr)
    schedulers = [PARAM_SCHEDULERS.build(dict(one, optimizer=optimizer)) for one in cfg.param_scheduler]
    optimizer.step()
    for position in range(length):
        assert optimizer.param_groups[0]['lr'] == pytest.approx(formula(position), rel=1e-6), position
        for scheduler in schedulers:
            scheduler.step()


@pytest.mark.parametrize('name', RATES)
def test_learning_rates_of_parts(name):
    keys = config_of(name).optim_wrapper.paramwise_cfg.custom_keys
    assert {part: options['lr_mult'] for part, options in keys.items()} == RATES[name]


@pytest.mark.parametrize('name', DEFERRED)
def test_epoch_of_deferred_weights(name):
    assert config_of(name).model.head.loss.drw == dict(begin=DEFERRED[name], beta=0.9999)


@pytest.mark.parametrize('name, begin', [
    ('r32_cifar10_lt', 100), ('r32_cifar100_lt', 100), ('r8_cifar100_lt_20e', 10), ('r8_digits_lt', 50)])
def test_epoch_of_influence_balancing(name, begin):
    cfg = load_config(CONFIGS / f'influence_balanced/{name}.py')
    assert cfg.model.head.loss.begin == begin == cfg.train_cfg.max_epochs // 2
