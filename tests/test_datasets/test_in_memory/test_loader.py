"""Tests of the loader of data in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, RepeatDataset

from ltkit.datasets import BaseLongTailDataset
from ltkit.datasets.columns import Columns, TextColumn
from ltkit.datasets.in_memory import InMemoryDataLoader
from ltkit.datasets.samplers import ClassBalancedSampler, GlobalBatchSampler, InstanceBalancedSampler
from ltkit.utils.errors import ConfigError

CROP = dict(type='torchvision/RandomCrop', size=(12, 10), padding=2)


def loader(dataset, sampler=InstanceBalancedSampler, batch_size=16, epoch=0, **kwargs) -> InMemoryDataLoader:
    batches = GlobalBatchSampler(sampler(dataset, seed=0), batch_size, **kwargs)
    batches.set_epoch(epoch)
    return InMemoryDataLoader(dataset, batch_sampler=batches)


@pytest.mark.parametrize('sampler', [InstanceBalancedSampler, ClassBalancedSampler])
def test_same_samples_in_the_same_batches_as_one_by_one(small_images, sampler):
    dataset = small_images()
    fast = loader(dataset, sampler)
    lists = list(fast.batch_sampler)
    batches = list(fast)
    assert len(fast) == len(batches) == len(lists) == 4
    for indices, batch in zip(lists, batches):
        items = [dataset[index] for index in indices]
        assert torch.equal(batch['inputs'], torch.stack([item['inputs'] for item in items]))
        for got, item in zip(batch['data_samples'], items):
            want = item['data_samples']
            assert got.sample_idx == want.sample_idx and got.num_classes == want.num_classes == 3
            assert torch.equal(got.gt_label, want.gt_label)


def test_processes_share_the_batches_of_one(small_images):
    dataset = small_images(CROP, dict(type='CIFARAutoAugment'))
    for whole, *parts in zip(loader(dataset, epoch=2), *(loader(dataset, epoch=2, world_size=2, rank=rank)
                                                         for rank in range(2))):
        for rank, part in enumerate(parts):
            assert torch.equal(whole['inputs'][rank::2], part['inputs'])
            assert np.array_equal(whole['data_samples'].sample_idx[rank::2], part['data_samples'].sample_idx)


def test_a_resumed_epoch_goes_on_alike(small_images):
    dataset = small_images(CROP)
    whole = list(loader(dataset, epoch=1))
    resumed = loader(dataset, epoch=1)
    resumed.batch_sampler.skip(2)
    for want, got in zip(whole[2:], resumed, strict=True):
        assert torch.equal(want['inputs'], got['inputs'])
    assert not torch.equal(whole[0]['inputs'], next(iter(loader(dataset, epoch=2)))['inputs'])


def test_samplers_without_seeds_draw_from_torch(small_images):
    dataset = small_images(CROP)
    fast = InMemoryDataLoader(dataset, sampler=DefaultSampler(dataset, shuffle=False), batch_size=25)
    torch.manual_seed(0)
    first, again = ([batch['inputs'] for batch in fast] for _ in range(2))
    first, again = list(first), list(again)
    torch.manual_seed(0)
    assert [len(batch) for batch in first] == [25, 25, 10] and not torch.equal(first[0], again[0])
    assert torch.equal(next(iter(fast))['inputs'], first[0])


def test_meta_keys_of_pack_inputs(small_images):
    dataset = small_images()
    dataset.pipeline.transforms[-1].meta_keys = ('img_path',)
    assert next(iter(loader(dataset)))['data_samples'][0].keys() == ['gt_label']
    assert 'sample_idx' not in next(iter(loader(dataset)))['data_samples'][0]


class FileImages(BaseLongTailDataset):
    """Paths, no images."""

    def load_columns(self):
        return Columns(np.zeros(2, dtype=np.int64), paths=TextColumn.from_strings(['a.jpg', 'b.jpg']))


def test_data_sets_that_cannot_be_in_memory(small_images):
    class OwnSamples(type(small_images())):
        def get_data_info(self, idx):
            return super().get_data_info(idx)

    for dataset, fault in ((FileImages(), 'FileImages reads files'),
                           (RepeatDataset(small_images(), 2), 'but got RepeatDataset'),
                           (OwnSamples(), r'would pass by OwnSamples\.get_data_info')):
        with pytest.raises(ConfigError, match=fault):
            InMemoryDataLoader(dataset, batch_size=2)
