"""What ltkit promises of a sampler."""

from __future__ import annotations

import copy
import pickle
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from torch.utils.data import DataLoader, Subset

from ..utils.errors import LtkitError
from .conformance import CheckList, NotApplicable, Part, expect, raised_by
from .distributed import run_distributed
from .random_states import expect_untouched, seed_all

CHECKS = CheckList()
COUNTS = (30, 11, 4, 2)  # 47 samples: no two processes share them evenly
MAX_EPOCHS = 20
INATURALIST = (437_513, 8_142)
SETUP_SECONDS = 5.0


class Labels(BaseDataset):
    """A data set of mmengine that is nothing but its labels; an item is its index.

    Args:
        labels (Sequence[int]): Class of each sample, shape ``(N,)``.
    """

    def __init__(self, labels: Sequence[int]) -> None:
        super().__init__(lazy_init=True)
        self.labels = np.asarray(labels, dtype=np.int64)

    def get_gt_labels(self) -> np.ndarray:
        """Shape ``(N,)``, int64."""
        return self.labels

    def full_init(self) -> None:
        """Nothing is to be read."""
        self._fully_initialized = True

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> int:
        return int(index)


class Unlabelled:
    """A data set that does not tell its labels."""

    def __len__(self) -> int:
        return sum(COUNTS)


def labels() -> np.ndarray:
    """47 labels of four classes in a fixed mixed order."""
    return np.random.default_rng(2).permutation(np.repeat(np.arange(len(COUNTS)), COUNTS))


def make(part: Part, dataset: Any = None, **overrides: Any) -> Any:
    """A fresh sampler of seed 0, of the stand-in data set."""
    dataset = Labels(labels()) if dataset is None else dataset
    sampler = part.make(dataset=dataset, **{'seed': 0, **overrides})
    if hasattr(sampler, 'set_max_epochs'):
        sampler.set_max_epochs(MAX_EPOCHS)
    return sampler


def group_size_of(sampler: Any) -> int:
    """How many neighbours of its order stay together."""
    return getattr(sampler, 'group_size', 1)


def groups(order: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """The order in groups of ``size``."""
    return list(zip(*(order[place::size] for place in range(size))))


def order_of(sampler: Any) -> list[int]:
    """The indices of one pass, as plain numbers."""
    return [int(index) for index in sampler]


@CHECKS.add
def indices_in_range(part: Part) -> None:
    """Every index is a whole number of the data set."""
    indices = list(make(part))
    wrong = [index for index in indices
             if not isinstance(index, (int, np.integer)) or not 0 <= index < sum(COUNTS)]
    expect(indices and not wrong,
           f'indices must be whole numbers of 0 to {sum(COUNTS) - 1}, but are {wrong[:3]}')


@CHECKS.add
def length(part: Part) -> None:
    """``len`` is the number of indices that come."""
    sampler = make(part)
    number = len(order_of(sampler))
    expect(len(sampler) == number, f'len is {len(sampler)}, but {number} indices come')


@CHECKS.add
def same_seed_same_order(part: Part) -> None:
    """The seed decides the order, whatever the global random state is."""
    orders = []
    for state in (1, 2):
        seed_all(state)
        orders.append(order_of(make(part)))
    expect(orders[0] == orders[1], 'two samplers of one seed give different orders')


@CHECKS.add
def other_seed_other_order(part: Part) -> None:
    """Another seed gives another order."""
    expect(order_of(make(part)) != order_of(make(part, seed=1)), 'seeds 0 and 1 give the same order')


@CHECKS.add
def other_epoch_other_order(part: Part) -> None:
    """Another epoch gives another order."""
    sampler = make(part)
    first = order_of(sampler)
    sampler.set_epoch(1)
    expect(order_of(sampler) != first, 'epochs 0 and 1 have the same order; does the draw use the epoch?')


@CHECKS.add
def epochs_have_no_memory(part: Part) -> None:
    """The order of an epoch does not depend on the epochs before it."""
    sampler, jumped = make(part), make(part)
    for epoch in range(4):
        sampler.set_epoch(epoch)
        order = order_of(sampler)
    jumped.set_epoch(3)
    expect(order_of(jumped) == order, 'epoch 3 after epochs 0 to 2 and at once have different orders')
    expect(order_of(jumped) == order, 'a second pass over the same epoch has another order')


@CHECKS.add
def random_state_untouched(part: Part) -> None:
    """The generators of python, numpy and torch are left alone."""
    expect_untouched(lambda: order_of(make(part)), 'the sampler draws')


@CHECKS.add
def global_order(part: Part) -> None:
    """``epoch_indices()`` is the order of one process, int64."""
    sampler = make(part)
    if not hasattr(sampler, 'epoch_indices'):
        raise NotApplicable('it has no epoch_indices(), so GlobalBatchSampler cannot use it')
    order = sampler.epoch_indices()
    expect(isinstance(order, np.ndarray) and order.dtype == np.int64,
           f'epoch_indices() must be an int64 array, but is {getattr(order, "dtype", type(order).__name__)}')
    expect(order.tolist() == order_of(sampler), 'epoch_indices() and the iteration of one process differ')


@CHECKS.add
def every_class_is_seen(part: Part) -> None:
    """Over some epochs every class with a sample comes."""
    sampler, seen = make(part), set()
    for epoch in range(MAX_EPOCHS):
        sampler.set_epoch(epoch)
        seen |= set(labels()[order_of(sampler)].tolist())
    missed = sorted(set(range(len(COUNTS))) - seen)
    expect(not missed, f'classes {missed} never come in {MAX_EPOCHS} epochs')


@CHECKS.add
def class_without_a_sample(part: Part) -> None:
    """A class without a sample is no obstacle."""
    dataset = Labels([0, 0, 0, 2, 2, 4])
    order = order_of(make(part, dataset))
    expect(order and set(order) <= set(range(6)), f'with empty classes the indices are {order[:6]}')


@CHECKS.add
def one_class(part: Part) -> None:
    """One class, and one sample, are data sets as any other."""
    order = order_of(make(part, Labels([0] * 5)))
    expect(set(order) <= set(range(5)), 'with one class an index is out of range')
    expect(set(order_of(make(part, Labels([0])))) == {0}, 'with one sample it must come')


@CHECKS.add
def empty_data_set(part: Part) -> None:
    """A data set without a sample is refused in words."""
    error = raised_by(lambda: order_of(make(part, Labels([]))))
    expect(isinstance(error, LtkitError), 'an empty data set must raise an error of ltkit, but gives '
           f'{type(error).__name__ if error else "an order"}')


@CHECKS.add
def missing_labels(part: Part) -> None:
    """A data set without labels works, or is refused with its type."""
    error = raised_by(lambda: order_of(make(part, Unlabelled())))
    expect(error is None or (isinstance(error, LtkitError) and 'Unlabelled' in str(error)),
           f'a data set without labels must raise an error of ltkit that names its type, but raises '
           f'{type(error).__name__}: {error}')


@CHECKS.add
def wrapped_data_sets(part: Part) -> None:
    """It looks through the wrappers of mmengine and torch."""
    inner = Labels(labels())
    for wrapped in (ConcatDataset([inner, Labels([3, 3])], ignore_keys='classes'), RepeatDataset(inner, 2),
                    Subset(inner, range(5, 20))):
        order = order_of(make(part, wrapped))
        name = type(wrapped).__name__
        expect(order and max(order) < len(wrapped),
               f'an index is out of range of a {name} of {len(wrapped)} samples')


@CHECKS.add
def number_of_samples(part: Part) -> None:
    """``num_samples`` is the length of an epoch; where samples come in groups, it counts these."""
    if not part.accepts('num_samples'):
        raise NotApplicable('it takes no num_samples')
    for number in (7, 3 * sum(COUNTS)):
        sampler = make(part, num_samples=number)
        found, group = len(order_of(sampler)), group_size_of(sampler)
        expect(found == number * group, f'num_samples={number} gives {found} samples'
               + (f', not {number} groups of {group}' if group > 1 else ''))


@CHECKS.add
def wrong_arguments(part: Part) -> None:
    """A negative seed, and no samples, are refused in words."""
    for wrong in (dict(seed=-1), dict(num_samples=0)):
        (name, value), = wrong.items()
        if part.accepts(name):
            error = raised_by(lambda wrong=wrong: make(part, **wrong))
            expect(isinstance(error, LtkitError) and name in str(error),
                   f'{name}={value} must raise an error of ltkit that names it, but gives '
                   f'{type(error).__name__ if error else "a sampler"}')


@CHECKS.add
def state_dict_round_trip(part: Part) -> None:
    """A sampler that is resumed goes on as the one that was never stopped."""
    sampler = make(part)
    if not hasattr(sampler, 'state_dict'):
        raise NotApplicable('it has no state')
    sampler.set_epoch(2)
    state = pickle.loads(pickle.dumps(sampler.state_dict()))
    resumed = make(part, seed=9)
    resumed.load_state_dict(state)
    expect(order_of(resumed) == order_of(sampler), 'the order of the resumed sampler differs')
    for each in (sampler, resumed):
        each.set_epoch(3)
    expect(order_of(resumed) == order_of(sampler), 'the order after the resumed epoch differs')


@CHECKS.add
def config_round_trip(part: Part) -> None:
    """Built by its registered name it gives the same order."""
    built = part.make_by_config(dataset=Labels(labels()), seed=0)
    if hasattr(built, 'set_max_epochs'):
        built.set_max_epochs(MAX_EPOCHS)
    expect(order_of(built) == order_of(make(part)), 'the sampler from a config gives another order')


@CHECKS.add
def copies_are_equal(part: Part) -> None:
    """Deep copies and pickles give the same order."""
    sampler = make(part)
    for other in (copy.deepcopy(sampler), pickle.loads(pickle.dumps(sampler))):
        expect(order_of(other) == order_of(make(part)), 'a copy gives another order')


@CHECKS.add
def in_a_data_loader(part: Part) -> None:
    """A torch ``DataLoader`` takes it, and yields its order."""
    loader = DataLoader(Labels(labels()), batch_size=5, sampler=make(part))
    seen = torch.cat(list(loader)).tolist()
    expect(seen == order_of(make(part)), 'the loader yields another order than the sampler')


@CHECKS.add
def max_epochs(part: Part) -> None:
    """A sampler that knows the number of epochs works at both ends of training."""
    sampler = make(part)
    if not hasattr(sampler, 'set_max_epochs'):
        raise NotApplicable('it does not depend on the number of epochs')
    sampler.set_max_epochs(10)
    for epoch in (0, 9):
        sampler.set_epoch(epoch)
        order = order_of(sampler)
        expect(order and set(order) <= set(range(sum(COUNTS))),
               f'an index of epoch {epoch} is out of range')


@CHECKS.add
def setup_is_quick(part: Part) -> None:
    """The labels of iNaturalist 2018 are set up and drawn in a few seconds of a core, whatever else runs."""
    size, classes = INATURALIST
    dataset = Labels(np.random.default_rng(0).geometric(0.001, size) % classes)
    begin = time.process_time()
    next(iter(make(part, dataset)))
    seconds = time.process_time() - begin
    expect(seconds < SETUP_SECONDS, f'{size:,} labels of {classes:,} classes take {seconds:.1f} s')


@CHECKS.add
def two_processes(part: Part) -> None:
    """Two processes share one order, each has as many samples, and no seed is typed."""
    size = group_size_of(make(part))
    order = groups(order_of(make(part)), size)
    shares = [groups(share, size) for share in run_distributed(_share, 2, part, True)]
    expect(len(shares[0]) == len(shares[1]), f'processes get {len(shares[0])} and {len(shares[1])} samples')
    merged = [group for both in zip(*shares) for group in both]
    expect(merged[:len(order)] == order, 'two processes together have another order than one')
    expect(merged[len(order):] == order[:len(merged) - len(order)],
           'what is added to make the shares equal is not the start of the order')
    orders = run_distributed(_order_without_seed, 2, part)
    expect(orders[0] == orders[1], 'without a seed the processes draw different orders')


@CHECKS.add
def two_processes_uneven(part: Part) -> None:
    """With ``round_up=False`` two processes have every sample of the order once."""
    if not part.accepts('round_up'):
        raise NotApplicable('it takes no round_up')
    size = group_size_of(make(part))
    order = groups(order_of(make(part)), size)
    shares = [groups(share, size) for share in run_distributed(_share, 2, part, False)]
    expect(shares[0] == order[0::2] and shares[1] == order[1::2],
           'the shares are not the strides of one order')


def _share(rank: int, world_size: int, part: Part, round_up: bool) -> list[int]:
    return order_of(make(part, **({} if round_up else dict(round_up=False))))


def _order_without_seed(rank: int, world_size: int, part: Part) -> list[int]:
    sampler = make(part, seed=None)
    return sampler.epoch_indices().tolist() if hasattr(sampler, 'epoch_indices') else [sampler.seed]
