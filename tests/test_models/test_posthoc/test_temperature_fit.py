"""The fitted temperature against a plain search over the equation."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.posthoc.temperature_fit import MAX_TEMPERATURE, MIN_TEMPERATURE, fit_temperature
from ltkit.utils.errors import DataError


def negative_log_likelihood(logits: torch.Tensor, labels: torch.Tensor, temperature: float) -> float:
    total = 0.0
    for row, label in zip(logits.double().tolist(), labels.tolist()):
        scaled = [value / temperature for value in row]
        top = max(scaled)
        total += top + math.log(sum(math.exp(value - top) for value in scaled)) - scaled[label]
    return total / len(labels)


def golden_section(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The least of the equation over log T, by its values alone."""
    low, high = math.log(MIN_TEMPERATURE), math.log(MAX_TEMPERATURE)
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(90):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if negative_log_likelihood(logits, labels, math.exp(left)) < \
                negative_log_likelihood(logits, labels, math.exp(right)):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def noisy(scale: float, seed: int, samples: int = 40, classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (samples, ), generator=generator)
    logits = torch.randn(samples, classes, generator=generator, dtype=torch.float64)
    logits[torch.arange(samples), labels] += 1
    labels[:3] = (labels[:3] + 1) % classes  # some are wrong, so that the optimum is finite
    return scale * logits, labels


@pytest.mark.parametrize('seed', [0, 1])
@pytest.mark.parametrize('scale', [0.05, 1.0, 30.0])
def test_least_of_the_equation(scale, seed):
    logits, labels = noisy(scale, seed)
    temperature, problem = fit_temperature(logits, labels)
    assert not problem
    assert temperature == pytest.approx(golden_section(logits, labels), rel=1e-6)  # values tell no more of a minimum
    beta = torch.tensor(1 / temperature, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.cross_entropy(beta * logits, labels).backward()
    assert abs(float(beta.grad)) < 1e-10 * scale


def test_scale_of_the_logits_shifts_and_order_of_the_samples():
    logits, labels = noisy(1.0, 3)
    temperature = fit_temperature(logits, labels)[0]
    assert fit_temperature(7 * logits, labels)[0] == pytest.approx(7 * temperature, rel=1e-10)
    assert fit_temperature(logits + torch.randn(40, 1), labels)[0] == pytest.approx(temperature, rel=1e-10)
    order = torch.randperm(40)
    assert fit_temperature(logits[order], labels[order])[0] == pytest.approx(temperature, rel=1e-10)
    classes = torch.randperm(5)
    assert fit_temperature(logits[:, classes], classes.argsort()[labels])[0] == pytest.approx(temperature, rel=1e-10)
    assert fit_temperature(logits.float(), labels.int())[0] == pytest.approx(temperature, rel=1e-5)


def test_samples_of_the_model_itself_need_no_temperature():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(20000, 4, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    assert fit_temperature(logits, labels)[0] == pytest.approx(1, abs=0.05)


def test_in_parts_as_in_one_go(monkeypatch):
    logits, labels = noisy(1.0, 4)
    whole = fit_temperature(logits, labels)[0]
    monkeypatch.setattr('ltkit.models.posthoc.temperature_fit.CHUNK', 17)
    assert fit_temperature(logits, labels)[0] == pytest.approx(whole, rel=1e-10)


@pytest.mark.parametrize('margin', [1e-3, 1.0, 100.0])
def test_separable_logits_end_at_the_smallest_temperature(margin):
    labels = torch.arange(6) % 3
    logits = margin * torch.nn.functional.one_hot(labels, 3).double()
    temperature, problem = fit_temperature(logits, labels)
    assert temperature == MIN_TEMPERATURE and 'the smallest allowed is taken' in problem


def test_wrong_logits_end_at_the_largest_temperature():
    labels = torch.arange(6) % 3
    temperature, problem = fit_temperature(-torch.nn.functional.one_hot(labels, 3).double(), labels)
    assert temperature == MAX_TEMPERATURE and 'the largest allowed is taken' in problem


@pytest.mark.parametrize('logits', [torch.zeros(4, 3), torch.randn(4, 1), 1e30 * torch.eye(4)])
def test_where_every_temperature_is_as_good_there_is_none(logits):
    labels = torch.arange(4).clamp(max=logits.size(1) - 1)
    temperature, problem = fit_temperature(logits, labels)
    assert temperature == 1 and 'every temperature gives the same' in problem


@pytest.mark.parametrize('scale', [1e-30, 1e-4, 1e4, 1e30])
def test_logits_of_any_size_give_a_finite_temperature(scale):
    logits, labels = noisy(scale, 5)
    temperature, problem = fit_temperature(logits, labels)
    assert MIN_TEMPERATURE <= temperature <= MAX_TEMPERATURE and problem


def test_samples_of_one_class_only():
    logits, _ = noisy(1.0, 6)
    labels = torch.zeros(40, dtype=torch.int64)
    temperature, problem = fit_temperature(logits, labels)
    assert problem or temperature == pytest.approx(golden_section(logits, labels), 1e-6)
    assert MIN_TEMPERATURE <= temperature <= MAX_TEMPERATURE


@pytest.mark.parametrize('logits, labels, message', [
    (torch.zeros(0, 3), torch.zeros(0), 'needs samples to be fitted to'),
    (torch.zeros(2, 3), torch.zeros(3), r'logits \(N, C\) and labels \(N,\)'),
    (torch.zeros(2, 3), torch.tensor([0, 3]), 'label 3 is out of range: the logits are of 3 classes'),
    (torch.tensor([[0.0, 1], [0, math.nan]]), torch.tensor([0, 1]), 'logits of sample 1 are not finite')])
def test_bad_input(logits, labels, message):
    with pytest.raises(DataError, match=message):
        fit_temperature(logits, labels)
