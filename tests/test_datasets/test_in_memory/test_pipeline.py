"""Tests of whole batched pipelines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from ltkit.datasets.in_memory import BatchedPipeline, BatchedTransform, batched_twin, twin_of
from ltkit.datasets.in_memory.base import TWINS
from ltkit.datasets.in_memory.windows import gather_on_device
from ltkit.datasets.transforms import BaseTransform
from ltkit.registry import TRANSFORMS
from ltkit.utils.errors import ConfigError
from ltkit.utils.rng import SampleDraws, sample_seeds

CROP = dict(type='torchvision/RandomCrop', size=(12, 10), padding=2)
FLIP = dict(type='torchvision/RandomHorizontalFlip')


def make(dataset) -> BatchedPipeline:
    return BatchedPipeline(dataset.pipeline.transforms, dataset.columns.images, 'cpu')


def test_without_transforms_the_images_are_those_of_the_data_set(small_images):
    dataset = small_images()
    pipeline = make(dataset)
    indices = np.array([5, 0, 59, 5])
    batch = pipeline(indices, sample_seeds(0, 0, 4))
    assert all(torch.equal(batch[n], dataset[int(i)]['inputs']) for n, i in enumerate(indices))
    batch.fill_(0)
    assert torch.equal(pipeline(indices, sample_seeds(0, 0, 4))[0], dataset[5]['inputs'])


def test_crop_and_flip_in_one_copy_are_the_two_twins_one_after_the_other(small_images):
    dataset = small_images(CROP, FLIP)
    seeds = sample_seeds(0, 0, 60)
    draws = SampleDraws(seeds)
    images = torch.from_numpy(dataset.columns.images.transpose(0, 3, 1, 2).copy())
    for transform in dataset.pipeline.transforms[:-1]:
        images = twin_of(transform)(images, draws)
    assert torch.equal(make(dataset)(np.arange(60), seeds), images)
    assert not torch.equal(images, make(dataset)(np.arange(60), sample_seeds(0, 1, 60)))


@pytest.mark.parametrize('transforms', [
    (FLIP, CROP), (CROP, dict(type='CIFARAutoAugment')), (dict(type='LoadImage'), dict(type='Cutout', size=4), CROP),
    (dict(type='torchvision/RandomVerticalFlip'), dict(type='torchvision/RandomRotation', degrees=20), FLIP)
])
def test_a_sample_does_not_depend_on_the_rest_of_the_batch(small_images, transforms):
    pipeline = make(small_images(*transforms))
    seeds = sample_seeds(0, 0, 60)
    whole = pipeline(np.arange(60), seeds)
    half = pipeline(np.arange(60)[1::2], seeds[1::2])
    assert torch.equal(whole[1::2], half)


class NoWaiting(TorchFunctionMode):
    """Refuses what makes the host wait for the device, be it from there (a value) or to there (a list)."""

    WAITING = ('tensor', 'as_tensor', 'item', 'tolist', 'cpu', 'numpy', 'nonzero', 'unique', '__bool__', '__int__',
               '__float__', '__index__')

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, '__name__', '')
        assert name not in self.WAITING, name
        if name in ('__getitem__', '__setitem__'):
            assert getattr(args[1], 'dtype', None) != torch.bool, 'how many places a mask has is known there alone'
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize('transforms', [
    (CROP, FLIP), (dict(type='CIFARAutoAugment'), dict(type='Cutout', size=4)),
    (dict(type='torchvision/AutoAugment', fill=7), CROP),
    (dict(type='torchvision/RandomVerticalFlip'), dict(type='torchvision/RandomRotation', degrees=20, fill=3))])
def test_nothing_waits_for_the_device(small_images, transforms, monkeypatch):
    """Neither a value is read from the device, nor a list written to it, which waits as well."""
    monkeypatch.setattr('ltkit.datasets.in_memory.pipeline.gather_windows', gather_on_device)
    monkeypatch.setattr('ltkit.datasets.in_memory.geometry.gather_windows', gather_on_device)
    pipeline = make(small_images(*transforms))
    expected = pipeline(np.arange(60), sample_seeds(0, 0, 60))  # tables of AutoAugment are made once
    with NoWaiting():
        assert pipeline(np.arange(60), sample_seeds(0, 1, 60)).shape == expected.shape


def test_images_have_the_statistics_of_the_per_sample_pipeline(small_images):
    """Mean and variance of each pixel over many epochs, for one image."""
    dataset = small_images(CROP, FLIP, dict(type='Cutout', size=4, prob=0.7))
    torch.manual_seed(0)
    theirs = torch.stack([dataset[3]['inputs'] for _ in range(2500)]).double()
    ours = make(dataset)(np.full(2500, 3), sample_seeds(0, 0, 2500)).double()
    deviation = theirs.std(0)
    assert ((ours.mean(0) - theirs.mean(0)).abs() / deviation).max() < 0.15
    assert (ours.std(0) / deviation - 1).abs().max() < 0.15


def test_pipeline_without_pack_inputs(small_images):
    dataset = small_images(FLIP)
    with pytest.raises(ConfigError, match='must end with dict'):
        BatchedPipeline(dataset.pipeline.transforms[:-1], dataset.columns.images, 'cpu')


def test_twin_of_a_transform_of_a_plugin(small_images, monkeypatch):

    @TRANSFORMS.register_module(name='HalveForTest', force=True)
    class HalveForTest(BaseTransform):
        def transform(self, results):
            results['img'] = results['img'] // 2
            return results

    with pytest.raises(ConfigError, match="'HalveForTest' has no batched form; those with one are CIFARAutoAugment"):
        make(small_images(dict(type='HalveForTest')))
    monkeypatch.setattr('ltkit.datasets.in_memory.base.TWINS', dict(TWINS))

    @batched_twin('HalveForTest')
    class BatchedDark(BatchedTransform):
        def __call__(self, images, draws):
            return images // 2

    dataset = small_images(dict(type='HalveForTest'))
    assert torch.equal(make(dataset)(np.arange(9), sample_seeds(0, 0, 9))[8], dataset[8]['inputs'])
    TRANSFORMS._module_dict.pop('HalveForTest')
