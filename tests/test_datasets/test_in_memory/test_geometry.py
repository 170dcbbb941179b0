"""Tests of batched crops, flips and rotations against torchvision on each image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ltkit.datasets.in_memory import twin_of
from ltkit.datasets.in_memory.geometry import affine_sources, rotation_matrices, take_pixels
from ltkit.utils.errors import ConfigError
from ltkit.utils.rng import SampleDraws, sample_seeds

functional = pytest.importorskip('torchvision.transforms.functional')
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 12, 10, 3), dtype=np.uint8)
BATCH = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)


def draws(number=40, epoch=0) -> SampleDraws:
    return SampleDraws(sample_seeds(0, epoch, number))


@pytest.mark.parametrize('settings', [
    dict(padding=4), dict(padding=(1, 2), fill=9), dict(padding=2, padding_mode='reflect'),
    dict(padding=(1, 2, 3, 4), padding_mode='edge'), dict(), dict(pad_if_needed=True, padding=1)
])
def test_crop_equals_torchvisions(build, settings):
    size = (15, 8) if 'pad_if_needed' in settings else (9, 8)
    transform = build(dict(type='torchvision/RandomCrop', size=size, **settings))
    twin = twin_of(transform)
    padded = twin.padded(BATCH)
    tops, lefts = twin.windows(padded.shape, draws())
    out = twin(BATCH.clone(), draws())
    crop = transform.apply
    for n, image in enumerate(IMAGES):
        pil = Image.fromarray(image)
        if crop.padding is not None:
            pil = functional.pad(pil, crop.padding, crop.fill, crop.padding_mode)
        if crop.pad_if_needed and pil.size[1] < size[0]:
            pil = functional.pad(pil, [0, size[0] - pil.size[1]], crop.fill, crop.padding_mode)
        want = np.asarray(functional.crop(pil, int(tops[n]), int(lefts[n]), *size))
        assert np.array_equal(out[n].permute(1, 2, 0).numpy(), want)
    assert len(set(zip(tops.tolist(), lefts.tolist()))) > 5


def test_crop_offsets_have_the_distribution_of_torchvisions(build):
    transform = build(dict(type='torchvision/RandomCrop', size=32, padding=4))
    twin = twin_of(transform)
    ours = twin.windows(torch.Size((0, 3, 40, 40)), draws(8100))
    torch.manual_seed(0)
    theirs = np.array([transform.apply.get_params(torch.zeros(3, 40, 40), (32, 32))[:2] for _ in range(8100)]).T
    for offsets in (*ours, *theirs):
        counts = np.bincount(offsets, minlength=9)
        assert len(counts) == 9 and ((counts - 900)**2 / 900).sum() < 30  # chi square, 8 degrees
    assert abs(np.corrcoef(ours)[0, 1]) < 0.04


@pytest.mark.parametrize('direction, axis', [('Horizontal', 3), ('Vertical', 2)])
def test_flip(build, direction, axis):
    name = f'torchvision/Random{direction}Flip'
    always, never = (twin_of(build(dict(type=name, p=p))) for p in (1.0, 0.0))
    assert torch.equal(always(BATCH, draws()), BATCH.flip(axis)) and torch.equal(never(BATCH, draws()), BATCH)
    for p in (0.5, 0.2):
        assert abs(twin_of(build(dict(type=name, p=p))).flips(draws(10000)).mean() - p) < 0.02


def test_rotation_equals_pillow():
    angles = np.random.default_rng(3).uniform(-180, 180, 200)
    matrices = rotation_matrices(angles, (5.0, 6.0))
    sources = affine_sources(matrices, 12, 10, BATCH)
    images = BATCH[torch.arange(200) % 40]
    out = take_pixels(images, sources, (1, 2, 3))
    for n, angle in enumerate(angles):
        want = functional.rotate(Image.fromarray(IMAGES[n % 40]), float(angle), fill=[1, 2, 3])
        assert np.array_equal(out[n].permute(1, 2, 0).numpy(), np.asarray(want)), angle


def test_random_rotation(build):
    twin = twin_of(build(dict(type='torchvision/RandomRotation', degrees=30, center=(0, 3), fill=5)))
    angles = -30 + 60 * draws().uniform()
    out = twin(BATCH, draws())
    for n, angle in enumerate(angles):
        want = functional.rotate(Image.fromarray(IMAGES[n]), float(angle), center=[0, 3], fill=[5, 5, 5])
        assert np.array_equal(out[n].permute(1, 2, 0).numpy(), np.asarray(want)), angle


@pytest.mark.parametrize('settings, fault', [
    (dict(type='torchvision/RandomRotation', degrees=9, expand=True), r'RandomRotation with .*expand=True'),
    (dict(type='torchvision/RandomRotation', degrees=9, interpolation='bilinear'), "interpolation='bilinear'"),
    (dict(type='torchvision/RandomCrop', size=8, fill=(1, 2, 3)), r'RandomCrop with fill=\(1, 2, 3\)'),
    (dict(type='torchvision/ColorJitter', brightness=0.4), "'torchvision/ColorJitter' has no batched form"),
])
def test_what_has_no_batched_form_is_named(build, settings, fault):
    with pytest.raises(ConfigError, match=fault) as error:
        twin_of(build(settings))
    assert str(error.value).startswith('in_memory=True: ') and '\n' not in str(error.value)


def test_crop_larger_than_the_images(build):
    with pytest.raises(ConfigError, match=r'RandomCrop: size \(20, 20\) is larger than the padded images'):
        twin_of(build(dict(type='torchvision/RandomCrop', size=20, padding=1)))(BATCH, draws())
