"""Tests of batched AutoAugment against torchvision's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ltkit.datasets.in_memory import twin_of
from ltkit.utils.errors import ConfigError
from ltkit.utils.rng import SampleDraws, sample_seeds

tv = pytest.importorskip('torchvision.transforms.autoaugment')


def draws(number) -> SampleDraws:
    return SampleDraws(sample_seeds(0, 0, number))


def smooth_images(number, channels) -> np.ndarray:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (number, 1, 1, channels)) + rng.integers(-60, 60, (number, 16, 14, channels))
    return np.clip(images, 0, 255).astype(np.uint8)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('config', [dict(type='CIFARAutoAugment'), dict(type='CIFARAutoAugment', fill=7),
                                    dict(type='torchvision/AutoAugment', policy='svhn'),
                                    dict(type='torchvision/AutoAugment')])
def test_each_image_equals_torchvisions_for_the_same_draws(build, config, channels):
    number = 400
    images = smooth_images(number, channels)
    twin = twin_of(build(config))
    out = twin(torch.from_numpy(images).permute(0, 3, 1, 2).clone(), draws(number))
    policies, active, signs = twin.draw(draws(number))
    space = twin.auto_augment._augmentation_space(10, (16, 14))
    fill = None if twin.fill is None else [twin.fill] * channels
    changed = 0
    for n in range(number):
        pil = Image.fromarray(images[n, :, :, 0] if channels == 1 else images[n])
        for stage, (name, _, level) in enumerate(twin.auto_augment.policies[policies[n]]):
            if active[n, stage]:
                magnitudes, signed = space[name]
                magnitude = 0.0 if level is None else float(magnitudes[level])
                magnitude *= -1.0 if signed and signs[n, stage] == 0 else 1.0
                pil = tv._apply_op(pil, name, magnitude, tv.InterpolationMode.NEAREST, fill)
        want = np.atleast_3d(np.asarray(pil))
        assert np.array_equal(out[n].permute(1, 2, 0).numpy(), want), (n, policies[n], active[n])
        changed += not np.array_equal(want, images[n])
    assert changed > number / 2


def test_frequencies_of_operations(build):
    number = 50_000
    twin = twin_of(build(dict(type='CIFARAutoAugment')))
    twin._prepare(32, 32)
    policies, active, signs = twin.draw(draws(number))
    counts = np.bincount(policies, minlength=25)
    assert ((counts - 2000)**2 / 2000).sum() < 52  # chi square, 24 degrees, p = 0.001
    assert np.abs(signs.mean(0) - 0.5).max() < 0.01
    for policy, operations in enumerate(tv.AutoAugment(tv.AutoAugmentPolicy.CIFAR10).policies):
        for stage, (_, chance, _) in enumerate(operations):
            assert abs(active[policies == policy, stage].mean() - chance) < 0.05


def test_mean_image_is_that_of_the_transform(build):
    transform = build(dict(type='CIFARAutoAugment'))
    image = smooth_images(1, 3)[0]
    torch.manual_seed(0)
    theirs = np.mean([transform(dict(img=image))['img'] for _ in range(1500)], axis=0, dtype=np.float64)
    batch = torch.from_numpy(image).permute(2, 0, 1).expand(6000, -1, -1, -1).clone()
    ours = twin_of(transform)(batch, draws(6000)).double().mean(0).permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs).mean() < 3 and np.abs(ours.mean() - theirs.mean()) < 3


def test_other_interpolation_is_refused(build):
    with pytest.raises(ConfigError, match="AutoAugment with interpolation='bilinear' has no batched form"):
        twin_of(build(dict(type='torchvision/AutoAugment', interpolation='bilinear')))
