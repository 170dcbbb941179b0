from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest
import torch

from ltkit.datasets.transforms import TORCHVISION_TRANSFORMS
from ltkit.registry import TRANSFORMS
from ltkit.utils.errors import ConfigError, DataError, RegistryError

ARGUMENTS = {
    'CenterCrop': dict(size=8),
    'ElasticTransform': dict(sigma=1.0),
    'GaussianBlur': dict(kernel_size=3),
    'Pad': dict(padding=1),
    'RandomAdjustSharpness': dict(sharpness_factor=2),
    'RandomAffine': dict(degrees=10),
    'RandomCrop': dict(size=16, padding=4),
    'RandomPosterize': dict(bits=4),
    'RandomResizedCrop': dict(size=8),
    'RandomRotation': dict(degrees=15),
    'RandomSolarize': dict(threshold=128),
    'Resize': dict(size=8),
    'ColorJitter': dict(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
}


def apply(image: np.ndarray, **config: object) -> np.ndarray:
    return TRANSFORMS.build(dict(config))(dict(img=image))['img']


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('name', TORCHVISION_TRANSFORMS)
def test_every_transform_takes_colour_and_gray(name: str, channels: int) -> None:
    torch.manual_seed(0)
    image = np.random.default_rng(0).integers(0, 256, (16, 16, channels), dtype=np.uint8)
    for _ in range(3):
        out = apply(image, type=f'torchvision/{name}', **ARGUMENTS.get(name, {}))
        assert out.dtype == np.uint8 and out.ndim == 3
        assert out.shape[-1] == (1 if name == 'Grayscale' else channels)


@pytest.mark.parametrize(
    'name', [f'torchvision/{name}' for name in TORCHVISION_TRANSFORMS] + ['CIFARAutoAugment']
)
def test_pickles_to_loader_workers(name: str) -> None:
    transform = TRANSFORMS.build(dict(type=name, **ARGUMENTS.get(name.split('/')[-1], {})))
    again = pickle.loads(pickle.dumps(transform))
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    outs = []
    for one in (transform, again):
        torch.manual_seed(0)
        outs.append(one(dict(img=image))['img'])
    assert np.array_equal(*outs) and repr(again) == repr(transform)


def test_same_as_torchvision() -> None:
    from PIL import Image
    from torchvision import transforms as tv

    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    torch.manual_seed(3)
    expected = np.asarray(
        tv.RandomResizedCrop(8, interpolation=tv.InterpolationMode.BICUBIC)(Image.fromarray(image))
    )
    torch.manual_seed(3)
    out = apply(image, type='torchvision/RandomResizedCrop', size=8, interpolation='bicubic')
    assert np.array_equal(out, expected)
    assert np.array_equal(apply(image, type='torchvision/RandomHorizontalFlip', p=1.0), image[:, ::-1])


def test_signature_is_that_of_torchvision() -> None:
    from torchvision import transforms as tv

    for name in TORCHVISION_TRANSFORMS:
        assert inspect.signature(TRANSFORMS.get(f'torchvision/{name}')) == inspect.signature(
            getattr(tv, name)
        )
    assert list(inspect.signature(TRANSFORMS.get('CIFARAutoAugment')).parameters) == ['fill']


def test_bad_arguments() -> None:
    with pytest.raises(
        ConfigError, match=r"torchvision/RandomCrop has no argument 'paddin'; .*did you mean 'padding'"
    ):
        TRANSFORMS.build(dict(type='torchvision/RandomCrop', size=3, paddin=1))
    with pytest.raises(ConfigError, match=r'torchvision/RandomCrop: .*size'):
        TRANSFORMS.build(dict(type='torchvision/RandomCrop'))
    with pytest.raises(ConfigError, match=r"interpolation must be one of .*'bicubc'; did you mean 'bicubic'"):
        TRANSFORMS.build(dict(type='torchvision/Resize', size=3, interpolation='bicubc'))
    with pytest.raises(RegistryError, match='torchvision/RandomCrop'):
        TRANSFORMS.build(dict(type='torchvision/RandomCrpo', size=3))


@pytest.mark.parametrize('channels', [1, 3])
def test_cifar_auto_augment(channels: int) -> None:
    torch.manual_seed(0)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, channels), dtype=np.uint8)
    transform = TRANSFORMS.build(dict(type='CIFARAutoAugment'))
    outs = [transform(dict(img=image))['img'] for _ in range(40)]
    assert all(out.shape == image.shape and out.dtype == np.uint8 for out in outs)
    assert len({out.tobytes() for out in outs}) > 10


def test_a_transform_that_does_not_fit_names_the_image() -> None:
    crop = TRANSFORMS.build(dict(type='torchvision/RandomCrop', size=9))
    image = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(DataError, match=r'RandomCrop.* does not fit list\.txt:3: image a\.jpg of 5 x 4 pixels: .*9'):
        crop(dict(img=image, img_path='a.jpg', ann_line='list.txt:3'))
    with pytest.raises(DataError, match='does not fit image 7 of 5 x 4'):
        crop(dict(img=image, sample_idx=7))
