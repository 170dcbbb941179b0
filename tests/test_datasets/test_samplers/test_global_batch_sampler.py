from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_dist_info
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ltkit.datasets.samplers import (
    ClassAwareSampler,
    ClassBalancedSampler,
    GlobalBatchSampler,
    InstanceBalancedSampler,
)
from ltkit.registry import SAMPLERS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import CheckpointError, ConfigError
from ltkit.utils.rng import SampleIndex


def batches_of(sampler) -> list[list[tuple[int, int]]]:
    return [[(int(index), index.rng_seed) for index in batch] for batch in sampler]


def make(size=10, batch_size=4, seed=0, epoch=0, **arguments):
    sampler = InstanceBalancedSampler(range(size), seed=seed)
    sampler.set_epoch(epoch)
    return GlobalBatchSampler(sampler, batch_size, **arguments)


def stream_of_process(rank, world_size, dataset, kinds):
    """The micro-batches of two epochs, by the world that mmengine tells."""
    assert get_dist_info() == (rank, world_size)
    stream = []
    for kind in kinds:
        sampler = GlobalBatchSampler(kind(dataset, seed=5), 8)
        for epoch in range(2):
            sampler.set_epoch(epoch)
            assert len(sampler) == 13
            stream += batches_of(sampler)
    return stream


def test_every_step_has_the_whole_batch():
    plain = InstanceBalancedSampler(range(10), seed=0)
    sampler = SAMPLERS.build(dict(type='GlobalBatchSampler', sampler=plain, batch_size=4))
    order = sampler.sampler.epoch_indices().tolist()
    batches = [[int(index) for index in batch] for batch in sampler]
    assert batches == [order[:4], order[4:8], order[8:] + order[:2]]
    assert len(sampler) == sampler.num_steps == 3
    assert sampler.global_batches().tolist() == batches
    assert all(type(index) is SampleIndex for batch in sampler for index in batch)


@pytest.mark.parametrize('size, batch_size, drop_last, steps', [
    (8, 4, False, 2), (8, 4, True, 2), (10, 4, True, 2), (3, 8, False, 1), (9, 4, False, 3)])
def test_number_of_steps(size, batch_size, drop_last, steps):
    sampler = make(size, batch_size, drop_last=drop_last)
    assert len(sampler) == steps
    batches = batches_of(sampler)
    assert len(batches) == steps
    assert all(len(batch) == batch_size for batch in batches)
    order = sampler.sampler.epoch_indices().tolist()
    assert [index for batch in batches for index, _ in batch] == (order * 3)[:steps * batch_size]


def test_filled_samples_have_another_augmentation():
    [batch] = batches_of(make(3, 8))
    assert len({seed for _, seed in batch}) == 8


def test_two_processes_see_the_stream_of_one(long_tail):
    kinds = [InstanceBalancedSampler, ClassBalancedSampler, ClassAwareSampler]
    alone = stream_of_process(0, 1, long_tail, kinds)
    first, second = run_distributed(stream_of_process, 2, long_tail, kinds)
    assert len(first) == len(second) == len(alone) == 2 * 13 * 3
    for whole, even, odd in zip(alone, first, second):
        assert even == whole[0::2]
        assert odd == whole[1::2]


@pytest.mark.parametrize('world_size, accumulation', [(1, 4), (2, 2), (4, 1)])
def test_accumulation_makes_the_micro_batches_of_more_processes(world_size, accumulation):
    samplers = [make(20, 8, accumulation=accumulation, world_size=world_size, rank=rank)
                for rank in range(world_size)]
    parts = [batches_of(sampler) for sampler in samplers]
    whole = batches_of(make(20, 8))
    for sampler, part in zip(samplers, parts):
        assert len(sampler) == len(part) == 3 * accumulation
        assert all(len(batch) == 2 for batch in part)
    for step, batch in enumerate(whole):
        hands = [parts[rank][step * accumulation + turn]
                 for turn in range(accumulation) for rank in range(world_size)]
        assert hands == [batch[hand::4] for hand in range(4)]


def test_plain_sampler_and_batch_sampler_agree_on_the_augmentation():
    sampler = InstanceBalancedSampler(range(8), seed=1)
    one_by_one = [(int(index), index.rng_seed) for index in sampler]
    assert batches_of(GlobalBatchSampler(sampler, 4)) == [one_by_one[:4], one_by_one[4:]]


@pytest.mark.parametrize('done', [0, 1, 2, 3])
@pytest.mark.parametrize('accumulation', [1, 2])
def test_resume_in_an_epoch(done, accumulation):
    sampler = make(epoch=3, accumulation=accumulation)
    expected = batches_of(sampler)
    iterator = iter(sampler)
    for _ in range(done * accumulation):
        next(iterator)
    state = sampler.state_dict()
    assert state == dict(seed=0, epoch=3, step=done, num_samples=10, batch_size=4)
    resumed = make(seed=99, accumulation=accumulation)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    resumed.sampler.set_epoch(3)  # as mmengine's DistSamplerSeedHook does
    assert batches_of(resumed) == expected[done * accumulation:]
    assert batches_of(resumed) == expected  # the next time from the start
    skipping = make(epoch=3, accumulation=accumulation)
    skipping.skip(done)
    assert batches_of(skipping) == expected[done * accumulation:]


def test_a_step_begun_is_a_step_to_do():
    sampler = make(accumulation=2)
    iterator = iter(sampler)
    next(iterator), next(iterator), next(iterator)
    assert sampler.state_dict()['step'] == 1


def test_resume_with_another_number_of_processes():
    expected = batches_of(make(epoch=1))
    two = make(epoch=1, world_size=2, rank=1)
    next(iter(two))
    one = make()
    one.load_state_dict(two.state_dict())
    assert batches_of(one) == expected[1:]


def test_another_epoch_begins_at_its_start():
    sampler = make()
    sampler.skip(2)
    sampler.set_epoch(1)
    assert sampler.state_dict()['step'] == 0
    assert batches_of(sampler) == batches_of(make(epoch=1))
    assert sampler.state_dict()['step'] == 3
    sampler.set_epoch(2)
    assert sampler.state_dict() == dict(seed=0, epoch=2, step=0, num_samples=10, batch_size=4)


def test_state_of_another_run():
    state = make().state_dict()
    with pytest.raises(CheckpointError, match='num_samples=10, but this run has 11'):
        make(11).load_state_dict(state)
    with pytest.raises(CheckpointError, match='batch_size=4, but this run has 2'):
        make(batch_size=2).load_state_dict(state)
    for steps in (-1, 4):
        with pytest.raises(ConfigError, match=f'cannot skip {steps} steps of an epoch of 3'):
            make().skip(steps)


@pytest.mark.parametrize('workers', [0, 2])
def test_in_a_loader(workers):
    loader = DataLoader(range(10), batch_sampler=make(), num_workers=workers)
    assert len(loader) == 3
    expected = make().global_batches()
    assert torch.stack(list(loader)).tolist() == expected.tolist()


def test_built_by_mmengine(long_tail):
    """The whole batch goes to the batch sampler, and the epoch reaches the sampler."""
    loader = Runner.build_dataloader(dict(
        dataset=long_tail, batch_size=8, num_workers=0, sampler=dict(type='ltkit.ClassBalancedSampler'),
        batch_sampler=dict(type='ltkit.GlobalBatchSampler', drop_last=True)), seed=3)
    assert len(loader) == 12
    loader.batch_sampler.sampler.set_epoch(2)
    assert loader.batch_sampler.sampler.seed == 3
    expected = ClassBalancedSampler(long_tail, seed=3)
    expected.set_epoch(2)
    batches = np.array([batch for batch in loader.batch_sampler])
    assert batches.ravel().tolist() == expected.epoch_indices()[:96].tolist()


@pytest.mark.parametrize('arguments, message', [
    (dict(batch_size=10, world_size=4, rank=0),
     r'batch_size=10 .* divided by 4 processes \(10 = 2 x 4 \+ 2\); use 8 or 12, or another number'),
    (dict(batch_size=6, accumulation=2, world_size=2, rank=0),
     r'divided by 2 processes x 2 accumulated micro-batches \(6 = 1 x 4 \+ 2\); use 4 or 8'),
    (dict(batch_size=2, world_size=4, rank=0), r'\(2 = 0 x 4 \+ 2\); use 4, or'),
    (dict(batch_size=0), 'batch_size must be a whole number >= 1, but is 0'),
    (dict(batch_size=2.0), r'batch_size must be a whole number >= 1, but is 2\.0'),
    (dict(accumulation=0), 'accumulation must be a whole number >= 1, but is 0'),
    (dict(world_size=2, rank=2), 'rank 2 is not one of 2 processes'),
    (dict(batch_size=16, drop_last=True), 'an epoch has 10 samples, fewer than one batch of 16'),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        make(**arguments)


def test_needs_a_global_order():
    with pytest.raises(ConfigError, match=r"DefaultSampler has no epoch_indices\(\).*InstanceBalanced"):
        GlobalBatchSampler(DefaultSampler(range(10), seed=0), 4)


@pytest.mark.parametrize('accumulation', [1, 2])
def test_batches_as_arrays_are_the_same(accumulation):
    sampler = make(epoch=2, accumulation=accumulation)
    lists = batches_of(sampler)
    sampler.skip(1)
    arrays = [list(zip(indices.tolist(), seeds.tolist())) for indices, seeds in sampler.array_batches()]
    assert arrays == lists[accumulation:]
