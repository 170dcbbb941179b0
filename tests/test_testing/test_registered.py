"""The conformance kit over everything that ltkit registers."""

from __future__ import annotations

import numpy as np
import pytest

from ltkit.datasets.split_lists import shipped_file
from ltkit.registry import CLASSIFIERS, DATASETS, LOSSES, METRICS, REGULARIZERS, SAMPLERS
from ltkit.testing import checks_of, stand_ins
from ltkit.testing.conformance import Part, bound_checks

# name -> check -> why a legitimate part does not pass it
EXCEPTIONS = {
    'LADELoss': dict(uniform_counts='the regulariser stays'),
    'LDAMLoss': dict(uniform_counts='equal margins stay margins'),
    'MetaWeightNetLoss': dict(
        gradient_is_right='the weights are constants for the gradient',
        uniform_counts='the weights depend on the losses'),
    'RIDELoss': dict(uniform_counts='margins and the diversity term stay'),
}
NO_SAMPLERS = {'GlobalBatchSampler': 'it batches a sampler'}
PER_CLASS = 20
COUNTS = [5, 3, 2]
OFFICIAL = dict(ImageNetLT=('ImageNet_LT_val.txt', 'val'), PlacesLT=('Places_LT_val.txt', 'val'),
                INaturalist2018=('iNaturalist18_val.txt', 'val'))


def registered(registry):
    """Names that ltkit's own modules registered; plugins that other tests import are not meant."""
    return [name for name in registry.names() if registry.get(name).__module__.startswith('ltkit.')]


def checks_over(kind, names):
    parts = [Part(kind, name, skip=EXCEPTIONS.get(name)) for name in names]
    checks = [check for part in parts for check in bound_checks(part, checks_of(kind))]
    return pytest.mark.parametrize('check', checks, ids=repr)


@checks_over('loss', registered(LOSSES))
def test_losses(check):
    check()


@checks_over('regularizer', registered(REGULARIZERS))
def test_regularizers(check):
    check()


@checks_over('sampler', [name for name in registered(SAMPLERS) if name not in NO_SAMPLERS])
def test_samplers(check):
    check()


@checks_over('classifier', registered(CLASSIFIERS))
def test_classifiers(check):
    check()


@checks_over('metric', registered(METRICS))
def test_metrics(check):
    check()


@pytest.fixture(scope='module')
def data_arguments(tmp_path_factory):
    """Constructor arguments of each data set, with stand-in files."""
    root = tmp_path_factory.mktemp('data')
    stand_ins.make_cifar(root, 10, PER_CLASS)
    stand_ins.make_cifar(root, 100, PER_CLASS)
    stand_ins.make_idx(root / 'idx', PER_CLASS)
    stand_ins.make_image_folder(root / 'folder', COUNTS)
    listed = stand_ins.make_image_list(root / 'list.txt', COUNTS)
    stand_ins.make_image_tree(root / 'images', listed)
    arguments = dict(
        DigitsLT={},
        CIFAR10LT=dict(data_root=str(root), imbalance_factor=10),
        CIFAR100LT=dict(data_root=str(root), imbalance_factor=10),
        FashionMNISTLT=dict(data_root=str(root / 'idx'), imbalance_factor=10),
        LongTailImageFolder=dict(data_root=str(root / 'folder')),
        ImageListDataset=dict(data_root=str(root / 'images'), ann_file=str(listed), check_files=True))
    for name, (list_name, split) in OFFICIAL.items():
        subset = root / list_name
        stand_ins.make_image_tree(root / name, shipped_file(list_name), per_class=1, num_images=12,
                                  size=(8, 8), subset_list=subset)
        arguments[name] = dict(data_root=str(root / name), ann_file=str(subset), split=split)
    return arguments


@pytest.mark.parametrize('name', registered(DATASETS))
@pytest.mark.parametrize('check_name', checks_of('dataset'))
def test_data_sets(name, check_name, data_arguments):
    part = Part('dataset', name, data_arguments[name], skip=EXCEPTIONS.get(name))
    next(check for check in bound_checks(part, checks_of('dataset')) if check.name == check_name)()


def test_exceptions_are_still_needed():
    """An exception that is declared, but would pass, is to be removed."""
    for name, skip in EXCEPTIONS.items():
        kind = 'loss' if name in LOSSES.names() else 'sampler'
        for check in bound_checks(Part(kind, name), checks_of(kind)):
            if check.name in skip:
                with pytest.raises(AssertionError):
                    check()


def test_official_lists_cover_every_class_of_the_stand_in_tree(tmp_path):
    """A tree of one image a class has as many labels as the shipped list."""
    rows = stand_ins.make_image_tree(tmp_path, shipped_file('Places_LT_val.txt'), per_class=1, size=(4, 4))
    assert sorted(label for _, label in rows) == list(range(365))
    assert len(np.unique([name for name, _ in rows])) == 365
