from __future__ import annotations

import numpy as np
import pytest

from ltkit.config import prior_correction
from ltkit.datasets.samplers import GlobalBatchSampler, InstanceBalancedSampler, ReversedSampler
from ltkit.registry import SAMPLERS
from ltkit.testing.distributed import run_distributed

COUNTS = [24, 3, 1, 0, 60, 9]  # of the fixture long_tail


def of_the_paper(counts) -> np.ndarray:
    """Weights n_max / n_c of the classes with samples, divided by their sum."""
    weights = [max(counts) / n if n else 0.0 for n in counts]
    return np.array([weight / sum(weights) for weight in weights])


def stream_of_process(rank, world_size, dataset):
    """The micro-batches of epochs 0 and 3."""
    sampler, stream = GlobalBatchSampler(ReversedSampler(dataset, seed=5), 8), []
    for epoch in (0, 3):
        sampler.set_epoch(epoch)
        stream.append([[(int(index), index.rng_seed) for index in batch] for batch in sampler])
    return stream


def test_equation(long_tail):
    sampler = SAMPLERS.build(dict(type='ReversedSampler', dataset=long_tail, seed=0))
    probabilities = sampler.class_probabilities()
    np.testing.assert_allclose(probabilities, of_the_paper(COUNTS), rtol=1e-14)
    assert probabilities[2] / probabilities[4] == pytest.approx(60)
    assert probabilities[3] == 0


@pytest.mark.parametrize('replacement', [False, True])
def test_frequencies(long_tail, chi_square, replacement):
    sampler = ReversedSampler(long_tail, seed=0, replacement=replacement)
    counts = np.zeros(6, dtype=np.int64)
    for epoch in range(200):
        sampler.set_epoch(epoch)
        order = sampler.epoch_indices()
        assert order.shape == (97,)
        counts += np.bincount(long_tail.labels[order], minlength=6)
    assert -4 < chi_square(counts, of_the_paper(COUNTS)) < 4


@pytest.mark.parametrize('replacement', [False, True])
def test_an_image_of_the_class_uniformly(long_tail, chi_square, replacement):
    uses = np.zeros(97, dtype=np.int64)
    for seed in range(300):
        order = ReversedSampler(long_tail, seed=seed, num_samples=400, replacement=replacement).epoch_indices()
        uses += np.bincount(order, minlength=97)
    for label in (0, 1, 4, 5):
        mine = uses[long_tail.labels == label]
        assert chi_square(mine, np.full(len(mine), 1 / len(mine))) < 4


def test_equal_classes_are_drawn_equally(labelled):
    sampler = ReversedSampler(labelled([0, 1, 2] * 5), seed=0)
    np.testing.assert_allclose(sampler.class_probabilities(), [1 / 3] * 3, rtol=1e-14)


def test_names_of_the_classes_do_not_matter(labelled, long_tail):
    renamed = np.array([5, 3, 0, 1, 2, 4])
    before = ReversedSampler(long_tail, seed=0).class_probabilities()
    after = ReversedSampler(labelled(renamed[long_tail.labels]), seed=0).class_probabilities()
    np.testing.assert_allclose(after[renamed], before, rtol=1e-14)


def test_two_processes_share_the_batches_of_one(long_tail):
    alone = stream_of_process(0, 1, long_tail)
    shares = run_distributed(stream_of_process, 2, long_tail)
    for epoch, batches in enumerate(alone):
        assert len(batches) == 13
        for step, batch in enumerate(batches):
            for rank, share in enumerate(shares):
                assert share[epoch][step] == batch[rank::2]


def test_resume_in_an_epoch(long_tail):
    sampler = ReversedSampler(long_tail, seed=4)
    sampler.set_epoch(2)
    expected = [(int(index), index.rng_seed) for index in sampler]
    iterator = iter(sampler)
    for _ in range(40):
        next(iterator)
    resumed = ReversedSampler(long_tail, seed=9)
    resumed.load_state_dict(sampler.state_dict())
    assert [(int(index), index.rng_seed) for index in resumed] == expected[40:]


def test_corrects_the_prior_twice():
    """p_c / pi_c ~ n_c ** -2, which the check of configs adds up."""
    assert prior_correction(ReversedSampler, {}) == 2.0
    assert prior_correction(InstanceBalancedSampler, {}) == 0.0
