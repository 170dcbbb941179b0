"""What ltkit promises of a data set for recognition."""

from __future__ import annotations

import copy
import os
import pickle
import random
import tempfile
from typing import Any

import numpy as np
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset, pseudo_collate
from torch.utils.data import DataLoader, Subset

from ..distribution import ClassDistribution, labels_of
from ..utils.errors import ConfigError, LtkitError
from ..utils.rng import SampleIndex
from .conformance import CheckList, NotApplicable, Part, expect, raised_by
from .random_states import draw_all, expect_untouched, seed_all

CHECKS = CheckList()


def make(part: Part, **overrides: Any) -> Any:
    """A fresh data set."""
    return part.make(**overrides)


def pipeline(part: Part, *transforms: Any) -> list[Any]:
    """Transforms that make an item of ltkit, with some in between."""
    if 'pipeline' in part.options:
        given = part.options['pipeline']
        return [*given[:-1], *transforms, *given[-1:]]
    loads = [] if 'img' in make(part).get_data_info(0) else [dict(type='LoadImage')]
    return [*loads, *transforms, dict(type='PackInputs')]


def some(dataset: Any, number: int = 5) -> list[int]:
    """Indices from the first sample to the last."""
    return sorted(set(np.linspace(0, len(dataset) - 1, number).astype(int).tolist()))


def random_numbers(results: dict) -> dict:
    """A transform: three numbers of the three global generators, in the top row of the image."""
    draws = [random.randrange(256), np.random.randint(256), int(torch.randint(256, ()))]  # noqa: NPY002
    image = results['img'].copy()
    image[0, :3, 0] = draws
    return {**results, 'img': image}


@CHECKS.add
def length_and_labels(part: Part) -> None:
    """``get_gt_labels()`` has a whole number for each sample."""
    dataset = make(part)
    labels = dataset.get_gt_labels()
    expect(len(dataset) > 0, 'the data set has no sample')
    expect(isinstance(labels, np.ndarray) and labels.dtype == np.int64 and labels.shape == (len(dataset), ),
           f'get_gt_labels() must be int64 of shape ({len(dataset)},), but is '
           f'{getattr(labels, "dtype", type(labels).__name__)} of {np.shape(labels)}')


@CHECKS.add
def classes(part: Part) -> None:
    """``metainfo['classes']`` names every class, and no label is out of range."""
    dataset = make(part)
    names, labels = dataset.metainfo.get('classes'), dataset.get_gt_labels()
    named = names is not None and all(isinstance(name, str) for name in names)
    expect(named, "metainfo['classes'] has no names")
    expect(labels.min() >= 0 and labels.max() < len(names),
           f'labels are {labels.min()} to {labels.max()}, but {len(names)} classes are named')


@CHECKS.add
def class_distribution(part: Part) -> None:
    """``class_distribution`` is the count of the labels."""
    dataset = make(part)
    counts = np.bincount(dataset.get_gt_labels(), minlength=len(dataset.metainfo['classes']))
    found = dataset.class_distribution
    expect(isinstance(found, ClassDistribution), f'class_distribution is a {type(found).__name__}')
    expect(found.counts.tolist() == counts.tolist(), 'class_distribution does not count the labels')


@CHECKS.add
def data_info(part: Part) -> None:
    """What is known of a sample before the pipeline: label, index, and an image or its path."""
    dataset = make(part)
    labels = dataset.get_gt_labels()
    for index in some(dataset):
        info = dataset.get_data_info(index)
        expect(info.get('gt_label') == labels[index], f'gt_label of sample {index} is not {labels[index]}')
        expect(info.get('sample_idx') == index, f'sample_idx of sample {index} is {info.get("sample_idx")}')
        expect('img' in info or 'img_path' in info, f'sample {index} has neither img nor img_path')


@CHECKS.add
def images(part: Part) -> None:
    """An image is uint8 of height, width and 1 or 3 channels; a path is that of a file."""
    dataset = make(part)
    for index in some(dataset):
        info = dataset.get_data_info(index)
        if 'img' not in info:
            expect(os.path.isfile(info['img_path']), f'sample {index}: {info["img_path"]} does not exist')
            continue
        image = info['img']
        expect(isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3
               and image.shape[2] in (1, 3), f'img of sample {index} must be uint8 (H, W, 1 or 3), but is '
               f'{getattr(image, "dtype", type(image).__name__)} {np.shape(image)}')


@CHECKS.add
def items(part: Part) -> None:
    """The pipeline makes ``inputs``, uint8 ``(C, H, W)``, and ``data_samples`` with the label."""
    dataset = make(part, pipeline=pipeline(part))
    labels = dataset.get_gt_labels()
    for index in some(dataset):
        item = dataset[index]
        inputs, sample = item['inputs'], item['data_samples']
        expect(isinstance(inputs, torch.Tensor) and inputs.dtype == torch.uint8 and inputs.dim() == 3,
               f'inputs of sample {index} must be uint8 (C, H, W)')
        found = sample.gt_label.tolist()
        expect(found == [labels[index]], f'gt_label of item {index} is {found}, not [{labels[index]}]')
        expect(sample.sample_idx == index, f'sample_idx of item {index} is {sample.sample_idx}')


@CHECKS.add
def items_are_not_shared(part: Part) -> None:
    """Writing into a sample does not change the data set."""
    dataset = make(part)
    info = dataset.get_data_info(0)
    if 'img' not in info:
        raise NotApplicable('its images are files')
    before = info['img'].copy()
    info['img'][...] = 255 - info['img']
    info['gt_label'] = -1
    again = dataset.get_data_info(0)
    expect(np.array_equal(again['img'], before) and again['gt_label'] != -1,
           'a sample is a view of the data set')


@CHECKS.add
def same_arguments_same_samples(part: Part) -> None:
    """Two builds, under other global seeds, hold the same samples in the same order."""
    built = []
    for seed in (1, 2):
        seed_all(seed)
        built.append(make(part))
    labels = [dataset.get_gt_labels() for dataset in built]
    expect(np.array_equal(*labels), 'the labels of two builds differ')
    for index in some(built[0]):
        first, second = (dataset.get_data_info(index) for dataset in built)
        same = np.array_equal(first['img'], second['img']) if 'img' in first else (
            first['img_path'] == second['img_path'])
        expect(same, f'sample {index} of two builds differs')


@CHECKS.add
def random_state_untouched(part: Part) -> None:
    """Building leaves the generators of python, numpy and torch alone."""
    expect_untouched(lambda: make(part).get_gt_labels(), 'building draws')


@CHECKS.add
def seeded_augmentation(part: Part) -> None:
    """What a random pipeline does to a sample is decided by the seed that its index carries."""
    dataset = make(part, pipeline=pipeline(part, random_numbers))

    def item(seed: int) -> torch.Tensor:
        return dataset[SampleIndex(0, rng_seed=seed)]['inputs']
    first = item(2**40 + 1)
    seed_all(99)
    expect(torch.equal(item(2**40 + 1), first), 'the same seed gives another augmentation')
    expect(not torch.equal(item(2**40 + 2), first), 'another seed gives the same augmentation')
    draws = draw_all()
    seed_all(99)
    expect(draws == draw_all(), 'a sample moves the global generators')


@CHECKS.add
def indices(part: Part) -> None:
    """Negative indices count from the end; one out of range is an ``IndexError``."""
    dataset = make(part)
    size = len(dataset)
    expect(dataset.get_data_info(-1)['sample_idx'] == size - 1, 'sample -1 is not the last')
    for index in (size, -size - 1):
        error = raised_by(lambda index=index: dataset.get_data_info(index))
        expect(isinstance(error, IndexError), f'sample {index} of {size} must raise IndexError, but gives '
               f'{type(error).__name__ if error else "a sample"}')


@CHECKS.add
def subset(part: Part) -> None:
    """``get_subset`` and ``indices=`` keep labels, counts and samples together."""
    dataset = make(part)
    labels = dataset.get_gt_labels()
    chosen = some(dataset)[::-1]
    parts = [dataset.get_subset(chosen)]
    if part.accepts('indices'):
        parts.append(make(part, indices=chosen))
    for found in parts:
        expect(found.get_gt_labels().tolist() == labels[chosen].tolist(), 'a subset has other labels')
        expect(found.class_distribution.total == len(chosen),
               'the class distribution of a subset is that of the whole')
        of_samples = [found.get_data_info(i)['gt_label'] for i in range(len(chosen))]
        expect(of_samples == labels[chosen].tolist(), 'samples and labels of a subset differ')
    expect(len(dataset) == len(labels), 'get_subset changes the data set itself')


@CHECKS.add
def wrapped(part: Part) -> None:
    """The wrappers of mmengine and torch keep labels and class distribution."""
    dataset = make(part)
    counts = dataset.class_distribution.counts
    for wrapper, times in ((ConcatDataset([dataset, make(part)]), 2), (RepeatDataset(dataset, 3), 3),
                           (Subset(dataset, range(len(dataset))), 1)):
        found = ClassDistribution.from_dataset(wrapper)
        name = type(wrapper).__name__
        expect(len(labels_of(wrapper)) == len(wrapper), f'a {name} has another number of labels than samples')
        expect((found.counts == times * counts).all(), f'the class distribution of a {name} is wrong')
        own = dataset.class_distribution
        expect(found.thresholds == own.thresholds, f'a {name} has lost the thresholds ({own.thresholds})')


@CHECKS.add
def category_ids(part: Part) -> None:
    """``get_cat_ids`` gives the class in a list, as ``ClassBalancedDataset`` needs it."""
    dataset = make(part)
    for index in some(dataset):
        found, label = dataset.get_cat_ids(index), dataset.get_gt_labels()[index]
        expect(found == [label], f'get_cat_ids({index}) is {found}, not [{label}]')


@CHECKS.add
def copies_are_equal(part: Part) -> None:
    """Deep copies and pickles, which loader workers get, hold the same samples."""
    dataset = make(part)
    for other in (copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
        expect(np.array_equal(other.get_gt_labels(), dataset.get_gt_labels()), 'a copy has other labels')
        expect(other.get_data_info(0).keys() == dataset.get_data_info(0).keys(), 'a copy has other samples')


@CHECKS.add
def loader_workers(part: Part) -> None:
    """A loader with workers gives what one without gives."""
    dataset = make(part, pipeline=pipeline(part)).get_subset(some(make(part)))
    loaders = [DataLoader(dataset, batch_size=2, num_workers=number, collate_fn=pseudo_collate)
               for number in (0, 2)]
    for own, other in zip(*loaders):
        same = all(torch.equal(a, b) for a, b in zip(own['inputs'], other['inputs']))
        labels = [[int(sample.gt_label) for sample in batch['data_samples']] for batch in (own, other)]
        expect(same and labels[0] == labels[1], 'workers give other items')


@CHECKS.add
def lazy_init(part: Part) -> None:
    """With ``lazy_init`` nothing is read until it is needed."""
    if not part.accepts('lazy_init') or not part.accepts('data_root'):
        raise NotApplicable('it reads nothing, or takes no lazy_init')
    make(part, lazy_init=True, data_root=os.path.join(tempfile.gettempdir(), 'ltkit_no_such_folder'))
    dataset = make(part, lazy_init=True)
    expect(dataset.class_distribution == make(part).class_distribution, 'read later, it has other counts')


@CHECKS.add
def missing_folder(part: Part) -> None:
    """A data folder that is not there is named."""
    if not part.accepts('data_root'):
        raise NotApplicable('it takes no data_root')
    if not part.kwargs.get('data_root') and not (isinstance(part.what, dict) and part.what.get('data_root')):
        raise NotApplicable('it reads no folder')
    with tempfile.TemporaryDirectory() as folder:
        nowhere = os.path.join(folder, 'nowhere')
        error = raised_by(lambda: make(part, data_root=nowhere))
    expect(isinstance(error, LtkitError) and nowhere in str(error),
           f'a missing data_root must raise an error of ltkit that names it, but gives '
           f'{type(error).__name__ if error else "a data set"}: {error or ""}')


@CHECKS.add
def wrong_split(part: Part) -> None:
    """A split that does not exist is refused, with those that do."""
    if not part.accepts('split'):
        raise NotApplicable('it has no splits')
    error = raised_by(lambda: make(part, split='tset'))
    named = 'tset' in str(error) and ('test' in str(error) or 'val' in str(error))
    expect(isinstance(error, ConfigError) and named,
           f"split='tset' must raise ConfigError that names the splits, but gives "
           f'{type(error).__name__ if error else "a data set"}: {error or ""}')


@CHECKS.add
def config_round_trip(part: Part) -> None:
    """Built by its registered name it holds the same samples."""
    built = part.make_by_config()
    expect(np.array_equal(built.get_gt_labels(), make(part).get_gt_labels()),
           'the config builds other samples')
