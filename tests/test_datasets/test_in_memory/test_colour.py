"""Tests of batched changes of colour: the numbers of Pillow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ltkit.datasets.in_memory.colour import COLOUR_OPS, luma

tv = pytest.importorskip('torchvision.transforms.autoaugment')
ENHANCED = ('Brightness', 'Color', 'Contrast', 'Sharpness')
STRENGTHS = {**{name: [-0.9, -0.3, 0.0, 0.2, 0.9] for name in ENHANCED}, 'Posterize': [8, 6, 4],
             'Solarize': [255.0, 141.7, 28.3, 0.0]}


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('name', COLOUR_OPS)
def test_operation_equals_torchvision_on_each_image(name, channels):
    rng = np.random.default_rng(1)
    images = np.clip(rng.integers(0, 256, (16, channels, 1, 1)) + rng.integers(-70, 70, (16, channels, 9, 8)), 0, 255)
    images[0], images[1, :, :5] = 90, 255
    images[2] = rng.integers(0, 256, images[2].shape)
    images = images.astype(np.uint8)
    for strength in STRENGTHS.get(name, [0.0]):
        given = torch.full((16,), float(strength + (name in ENHANCED)), dtype=torch.float64)
        before = torch.from_numpy(images.copy())
        batch = COLOUR_OPS[name](before, given)
        assert np.array_equal(before.numpy(), images), 'the input was written to'
        for image, out in zip(images, batch):
            pil = Image.fromarray(image[0] if channels == 1 else image.transpose(1, 2, 0))
            want = np.atleast_3d(np.asarray(tv._apply_op(pil, name, strength, None, None)))
            assert np.array_equal(out.permute(1, 2, 0).numpy(), want), (name, strength)


def test_luma_equals_pillow():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    ours = luma(torch.from_numpy(image).permute(2, 0, 1)[None])[0, 0]
    assert np.array_equal(ours.numpy(), np.asarray(Image.fromarray(image).convert('L')))


def test_strengths_differ_by_image():
    images = torch.full((2, 3, 4, 4), 100, dtype=torch.uint8)
    assert COLOUR_OPS['Brightness'](images, torch.tensor([0.5, 2.0]))[:, 0, 0, 0].tolist() == [50, 200]
    assert COLOUR_OPS['Posterize'](images, torch.tensor([1.0, 8.0]))[:, 0, 0, 0].tolist() == [0, 100]
