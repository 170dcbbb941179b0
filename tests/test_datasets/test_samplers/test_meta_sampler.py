from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import gumbel_softmax

from ltkit.datasets.samplers import GlobalBatchSampler, MetaSampler
from ltkit.utils.errors import ConfigError


def set_rates(sampler, rates):
    sampler.learner.psi.data = torch.tensor(rates, dtype=torch.float64).logit()


def all_noise(sampler, position, winner):
    """E of every sample of one draw, as the docstring has it; samples in the order of their classes."""
    labels = np.sort(sampler.dataset.labels)
    rates = sampler.rates[labels]
    rng = sampler.generator(2, position)
    time = rng.standard_exponential() / rates.sum()
    left = rng.standard_exponential(len(labels))
    left[winner] = 0
    return rates * time + left


@pytest.mark.parametrize('rates', [[0.5] * 6, [0.1, 0.9, 0.4, 0.5, 0.02, 0.99]])
def test_classes_are_drawn_by_their_rates(rates, long_tail, chi_square):
    sampler = MetaSampler(long_tail, seed=0)
    set_rates(sampler, rates)
    counts = np.zeros(97, dtype=np.int64)
    for epoch in range(200):
        sampler.set_epoch(epoch)
        counts += np.bincount(sampler.epoch_indices(), minlength=97)
    each = np.array(rates)[long_tail.labels]
    assert -4 < chi_square(counts, each / each.sum()) < 4


def test_rates_at_the_beginning(labelled):
    dataset = labelled([0] * 50 + [1] * 8 + [2] * 2)
    assert MetaSampler(dataset, seed=0).rates.tolist() == [0.5] * 3
    odds = [(n / 60)**-0.3 for n in (50, 8, 2)]
    expected = [a / (min(odds) + max(odds)) for a in odds]
    assert np.allclose(MetaSampler(dataset, seed=0, init_pow=0.3).rates, expected, rtol=0, atol=1e-12)


def test_the_noise_of_a_draw_is_that_of_a_race(long_tail):
    """Given who wins, E of all samples are exponential, and the winner is the first."""
    sampler = MetaSampler(long_tail, seed=0)
    set_rates(sampler, [0.2, 0.9, 0.5, 0.5, 0.05, 0.7])
    rates = sampler.rates[np.sort(long_tail.labels)]
    values = []
    for epoch in range(20):
        sampler.set_epoch(epoch)
        sampler.indices_at(np.arange(97))
        for position, winner in zip(*sampler._batch):
            noise = all_noise(sampler, position, winner)
            assert (noise / rates).argmin() == winner
            values.append(noise)
    values = np.stack(values)  # 1940 draws of 97 samples
    # each E is exponential of the rate 1: mean, variance and the distribution function at some points
    assert abs(values.mean(0) - 1).max() < 5 / np.sqrt(len(values))
    for point in (0.1, 1, 3):
        share = (values < point).mean()
        expected = 1 - np.exp(-point)
        assert abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / values.size)
    # and they are independent of each other
    correlation = np.corrcoef(values.T)[np.triu_indices(97, 1)]
    assert abs(correlation.mean()) < 5 / np.sqrt(correlation.size * len(values))


def test_weights_are_those_of_the_straight_through_gumbel_softmax(long_tail):
    """Against all n samples at once: value, and gradient of any function of the weights."""
    sampler = MetaSampler(long_tail, seed=3)
    set_rates(sampler, [0.2, 0.9, 0.5, 0.5, 0.05, 0.7])
    sampler.set_epoch(2)
    positions = np.arange(16, 32)
    sampler.indices_at(positions)
    factors = torch.linspace(-1, 2, 16, dtype=torch.float64)
    weights = sampler.sample_weights()
    assert torch.equal(weights.detach(), torch.ones(16, dtype=torch.float64))
    (gradient,) = torch.autograd.grad((factors * weights).sum(), sampler.learner.psi)

    labels = torch.from_numpy(np.sort(long_tail.labels))
    psi = sampler.learner.psi.detach().clone().requires_grad_()
    total = 0
    for factor, position, winner in zip(factors, *sampler._batch):
        noise = -torch.from_numpy(all_noise(sampler, int(position), winner)).log()
        soft = (psi.sigmoid().log()[labels] + noise).softmax(0)
        hard = torch.nn.functional.one_hot(soft.argmax(), len(soft))
        assert soft.argmax() == winner
        straight = hard - soft.detach() + soft
        total = total + factor * (hard * straight).sum()  # the weight of the drawn sample
    (expected,) = torch.autograd.grad(total, psi)
    assert expected.abs().max() > 0.01
    assert torch.allclose(gradient, expected, rtol=0, atol=1e-10)


def test_mean_gradient_is_that_of_torch(labelled):
    """Over many draws the gradient for each drawn class is that of torch's gumbel_softmax."""
    dataset = labelled([0] * 6 + [1] * 3 + [2])
    rates, draws = [0.2, 0.6, 0.9], 20000
    sampler = MetaSampler(dataset, seed=0, num_samples=draws)
    set_rates(sampler, rates)
    values = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)  # a loss for each class
    labels = dataset.labels[sampler.indices_at(np.arange(draws))]
    (ours,) = torch.autograd.grad((values[labels] * sampler.sample_weights()).mean(), sampler.learner.psi)

    psi = torch.tensor(rates, dtype=torch.float64).logit().requires_grad_()
    each = psi.sigmoid().log()[torch.from_numpy(dataset.labels)].expand(draws, -1)
    torch.manual_seed(0)
    hard = gumbel_softmax(each, hard=True)
    drawn = (hard.detach() * hard).sum(1)
    (theirs,) = torch.autograd.grad((values[torch.from_numpy(dataset.labels)[hard.argmax(1)]] * drawn).mean(), psi)
    assert theirs.abs().max() > 0.05
    assert (ours - theirs).abs().max() < 0.01  # above five deviations


def test_batches_are_drawn_when_their_step_comes(long_tail):
    batches = GlobalBatchSampler(MetaSampler(long_tail, seed=0), batch_size=16)
    before = np.stack([indices for indices, _ in batches.array_batches()])
    assert np.array_equal(before, np.resize(batches.sampler.epoch_indices(), before.shape))
    running = batches.array_batches()
    assert np.array_equal(next(running)[0], before[0])
    set_rates(batches.sampler, [1e-9, 1e-9, 0.9, 0.5, 1e-9, 1e-9])
    assert set(next(running)[0]) == {int(np.flatnonzero(long_tail.labels == 2)[0])}
    # resumed with these rates, it goes on alike
    resumed = GlobalBatchSampler(MetaSampler(long_tail, seed=0), batch_size=16)
    set_rates(resumed.sampler, [1e-9, 1e-9, 0.9, 0.5, 1e-9, 1e-9])
    resumed.skip(2)
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(running, resumed.array_batches(), strict=True))


def test_weights_of_two_processes_are_those_of_one(long_tail):
    def gradients(rank, world_size):
        sampler = MetaSampler(long_tail, seed=0)
        sampler.rank, sampler.world_size = rank, world_size
        sampler.indices_at(np.arange(8))
        return [torch.autograd.grad(weight, sampler.learner.psi, retain_graph=True)[0]
                for weight in sampler.sample_weights()]
    one, first, second = gradients(0, 1), gradients(0, 2), gradients(1, 2)
    assert all(torch.equal(a, b) for a, b in zip(one[0::2] + one[1::2], first + second, strict=True))


@pytest.mark.parametrize('power', [-1, 'large', float('nan'), True])
def test_wrong_arguments(power, long_tail):
    with pytest.raises(ConfigError, match='init_pow must be a number from 0 on'):
        MetaSampler(long_tail, seed=0, init_pow=power)


def test_weights_need_a_batch(long_tail):
    with pytest.raises(RuntimeError, match='no batch'):
        MetaSampler(long_tail, seed=0).sample_weights()
