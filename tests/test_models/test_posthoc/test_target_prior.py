"""Tests of ltkit.models.posthoc.target_prior."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

from ltkit.distribution import ClassDistribution
from ltkit.models.posthoc.target_prior import log_target_prior
from ltkit.utils.errors import ConfigError


def probabilities_of(target_prior) -> list[float]:
    log_prior = log_target_prior('ARule', target_prior)
    assert log_prior.dtype == torch.float64
    return log_prior.exp().tolist()


@pytest.mark.parametrize('given', [
    [0.2, 0.3, 0.5], (0.2, 0.3, 0.5), np.array([0.2, 0.3, 0.5]), torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64),
    [2, 3, 5], [200, 300, 500], torch.tensor([20, 30, 50]), ClassDistribution([4, 6, 10])])
def test_probabilities_and_counts(given):
    assert probabilities_of(given) == pytest.approx([0.2, 0.3, 0.5], abs=1e-12)


@pytest.mark.parametrize('text', [
    '[0.2, 0.3, 0.5]', '0.2\n0.3\n0.5\n', '[20, 30, 50]', '2\n3\n5\n', 'name,count\na,2\nb,3\nc,5\n',
    '{"counts": [2, 3, 5]}'])
def test_files(tmp_path, text):
    file = tmp_path / 'prior.txt'
    file.write_text(text)
    for path in (file, str(file)):
        assert probabilities_of(path) == pytest.approx([0.2, 0.3, 0.5], abs=1e-12)


def test_an_empty_class_of_counts_is_one_sample():
    for given in ([8, 0, 1], ClassDistribution([8, 0, 1])):
        assert probabilities_of(given) == pytest.approx([0.8, 0.1, 0.1])
    assert probabilities_of(ClassDistribution([1, 0])) == pytest.approx([0.5, 0.5])


def test_rounded_probabilities_are_normalised():
    assert probabilities_of([0.333, 0.333, 0.333]) == pytest.approx([1 / 3] * 3, abs=1e-12)
    assert probabilities_of([1]) == [1.0]
    tiny = log_target_prior('ARule', [1e-300, 1 - 1e-300])
    assert tiny[0] == pytest.approx(-300 * math.log(10))


@pytest.mark.parametrize('given, found', [
    ([0.2, 0.3], 'sum to 0.5: [0.2, 0.3]'),
    ([20.5, 79.5], 'sum to 100: [20.5, 79.5]'),
    ([0.5] * 7, 'sum to 3.5: [0.5, 0.5, 0.5, 0.5, 0.5, ...]'),
    ([0, 0], 'sum to 0'),
    ([-0.5, 1.5], 'are [-0.5, 1.5]'),
    ([float('nan'), 1], 'are [nan, 1.0]'),
    ([[0.5, 0.5]], 'have shape (1, 2)'),
    (0.5, 'have shape ()'),
    ([], 'are []'),
    (['a', 'b'], "are ['a', 'b']"),
    ([[1], [1, 2]], 'are [[1], [1, 2]]'),
])
def test_what_is_no_prior(given, found):
    message = 'target_prior must be probabilities that sum to 1, or counts (whole numbers), one a class, but they '
    with pytest.raises(ConfigError, match=re.escape(f'ARule: {message}{found}')):
        log_target_prior('ARule', given)


@pytest.mark.parametrize('given', [[0.5, 0.5, 0], [0, 1, 0]])
def test_a_probability_of_zero(given):
    with pytest.raises(ConfigError, match=r'ARule: target_prior gives class [02] the probability 0'):
        log_target_prior('ARule', given)


def test_files_without_a_prior(tmp_path):
    with pytest.raises(ConfigError, match=r'ARule: target_prior: cannot read .*none.txt: No such file or directory$'):
        log_target_prior('ARule', tmp_path / 'none.txt')
    file = tmp_path / 'prior.txt'
    for text in ('', 'half\nhalf\n', '[0.5, "a"]', '{"a": 1}'):
        file.write_text(text)
        with pytest.raises(ConfigError, match=r'ARule: target_prior: .*prior.txt has no class counts.*probabilities'):
            log_target_prior('ARule', file)
    file.write_text('0.5\n0.6\n')
    with pytest.raises(ConfigError, match=r'ARule: target_prior of .*prior.txt must .* sum to 1.1: \[0.5, 0.6\]'):
        log_target_prior('ARule', file)
