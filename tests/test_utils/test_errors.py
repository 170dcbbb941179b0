"""Tests of the error classes and of the nearest names."""

from __future__ import annotations

import pickle

import pytest

from ltkit.utils import errors
from ltkit.utils.errors import LtkitError, RegistryError, did_you_mean, nearest

CLASSES = [value for value in vars(errors).values()
           if isinstance(value, type) and issubclass(value, LtkitError)]
BUILTINS = dict(
    ConfigError=ValueError, RegistryError=KeyError, DataError=ValueError, DistributionError=ValueError,
    CheckpointError=RuntimeError, TrainingError=RuntimeError, DiskFullError=RuntimeError,
    Interrupted=RuntimeError, LtkitError=Exception)


@pytest.mark.parametrize('error', CLASSES, ids=lambda error: error.__name__)
def test_each_is_an_ltkit_error_and_a_builtin_one(error):
    assert issubclass(error, BUILTINS[error.__name__])
    made = error("the key 'x' is wrong")
    assert str(made) == "the key 'x' is wrong"
    again = pickle.loads(pickle.dumps(made))  # as a data loader's worker sends it
    assert type(again) is error and str(again) == str(made)


def test_registry_error_without_words():
    assert str(RegistryError()) == ''


@pytest.mark.parametrize('name, expected', [
    ('default_hoks', ['default_hooks']),
    ('DEFAULT_HOOKS', ['default_hooks']),
    ('optimwrapper', ['optim_wrapper']),
    ('zzz', []),
    ('', []),
])
def test_nearest(name, expected):
    assert nearest(name, ['default_hooks', 'optim_wrapper', 'model']) == expected


def test_nearest_gives_the_best_first_and_at_most_three():
    known = ['few_to_mary', 'few_to_man', 'few_to_many', 'few_to_mani', 'few']
    found = nearest('few_to_many', known)
    assert found[0] == 'few_to_many' and len(found) == 3


def test_nearest_leaves_out_what_is_much_less_like_it():
    assert nearest('BalancedSoftmxLoss', ['SoftmaxLoss', 'WeightedSoftmaxLoss', 'BalancedSoftmaxLoss']) == [
        'BalancedSoftmaxLoss']


def test_did_you_mean():
    assert did_you_mean('mdoel', ['model', 'mode']) == "; did you mean 'model' or 'mode'?"
    assert did_you_mean('q', ['model']) == ''
