"""Tests of ltkit.models.posthoc.prior_compensation."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from ltkit.config import prior_correction
from ltkit.models.heads import LongTailClsHead
from ltkit.models.posthoc import LogitAdjustment, PriorCompensation
from ltkit.registry import POSTHOC
from ltkit.utils.errors import ConfigError, DistributionError

COUNTS = [int(500 * 0.01**(c / 6)) for c in (3, 0, 6, 1, 5, 2, 4)]  # 500 to 5, in no order
TARGET = [0.05, 0.1, 0.3, 0.02, 0.23, 0.2, 0.1]


def logits_of(shape=(12, 7)) -> torch.Tensor:
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def of_the_paper(row, counts, target) -> list[float]:
    """The equation, class by class."""
    return [z - math.log(n / sum(counts)) + math.log(p) for z, n, p in zip(row, counts, target)]


@pytest.mark.parametrize('target', [None, TARGET])
@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize('shape', [(12, 7), (2, 3, 7), (7, )])
def test_equation(target, dtype, tolerance, shape):
    rule = POSTHOC.build(dict(type='PriorCompensation', target_prior=target, class_counts=COUNTS))
    logits = logits_of(shape).to(dtype)
    found = rule(logits)
    assert found.dtype == dtype
    assert found.shape == shape
    expected = [of_the_paper(row, COUNTS, target or [1 / 7] * 7) for row in logits.view(-1, 7).tolist()]
    assert (found.view(-1, 7).double() - torch.tensor(expected, dtype=torch.float64)).abs().max() < tolerance


def test_gradient():
    logits = logits_of().requires_grad_()
    weights = logits_of().flip(0)
    (PriorCompensation(TARGET, COUNTS)(logits).softmax(-1) * weights).sum().backward()
    plain = logits.detach().clone().requires_grad_()
    odds = plain.exp() * torch.tensor(TARGET, dtype=torch.float64) / torch.tensor(COUNTS)
    (odds / odds.sum(-1, keepdim=True) * weights).sum().backward()
    assert (logits.grad - plain.grad).abs().max() < 1e-10


def test_bayes_rule():
    """Of likelihoods and one prior it makes the posterior of likelihoods and another."""
    likelihood = torch.tensor([[0.2, 0.3, 0.7], [0.5, 0.1, 0.1]], dtype=torch.float64)
    posteriors = []
    for prior in ([0.9, 0.08, 0.02], [0.1, 0.3, 0.6]):
        joint = likelihood * torch.tensor(prior, dtype=torch.float64)
        posteriors.append(joint / joint.sum(1, keepdim=True))
    rule = PriorCompensation([0.1, 0.3, 0.6], class_counts=[90, 8, 2])
    assert torch.allclose(rule(posteriors[0].log()).softmax(1), posteriors[1], rtol=0, atol=1e-14)


def test_uniform_target_is_logit_adjustment():
    logits = logits_of()
    for target in (None, [1 / 7] * 7, [50] * 7):
        difference = PriorCompensation(target, COUNTS)(logits) - LogitAdjustment(1.0, COUNTS)(logits)
        assert (difference + math.log(7)).abs().max() < 1e-12


def test_the_training_prior_as_target_changes_nothing():
    logits = logits_of()
    assert (PriorCompensation(COUNTS, COUNTS)(logits) - logits).abs().max() < 1e-12


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_from_uniform_to_uniform_changes_no_bit(dtype):
    logits = logits_of().to(dtype)
    for target in (None, [1 / 7] * 7, [50] * 7):
        assert torch.equal(PriorCompensation(target, class_counts=[97] * 7)(logits), logits)


def test_names_of_the_classes_do_not_matter():
    order, logits = [4, 0, 6, 2, 5, 1, 3], logits_of()
    permuted = PriorCompensation([TARGET[c] for c in order], [COUNTS[c] for c in order])(logits[:, order])
    assert (permuted - PriorCompensation(TARGET, COUNTS)(logits)[:, order]).abs().max() < 1e-12


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_extremes_are_finite(dtype):
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]]).to(dtype)
    for target in (None, [8, 0, 2]):
        with torch.autocast('cpu', dtype=torch.bfloat16):
            found = PriorCompensation(target, class_counts=[5, 0, 3])(logits)
        assert found.isfinite().all()
        assert found.dtype == torch.float32


def test_compiles_whole():
    for target in (None, TARGET):
        rule = PriorCompensation(target, COUNTS)
        compiled = torch.compile(rule, fullgraph=True, backend='eager')
        assert torch.equal(compiled(logits_of()), rule(logits_of()))


def test_target_belongs_to_the_config_and_counts_to_the_checkpoint():
    rule, other = PriorCompensation(TARGET, COUNTS), PriorCompensation(TARGET[::-1])
    assert list(rule.state_dict()) == ['class_counts']
    with pytest.raises(DistributionError, match='PriorCompensation needs the class counts'):
        other(logits_of())
    other.load_state_dict(rule.state_dict())
    assert torch.equal(other(logits_of()), PriorCompensation(TARGET[::-1], COUNTS)(logits_of()))
    half = copy.deepcopy(rule).half()  # a model in half precision keeps the priors exact
    assert torch.equal(half(logits_of()), rule(logits_of()))
    assert repr(rule) == 'PriorCompensation(target_prior=given)'
    assert repr(PriorCompensation()) == 'PriorCompensation(target_prior=uniform)'


def test_other_numbers_of_classes():
    message = 'PriorCompensation: target_prior has 3 classes, but the training set has 7'
    with pytest.raises(ConfigError, match=message):
        PriorCompensation([0.5, 0.3, 0.2], COUNTS)
    rule = PriorCompensation([0.5, 0.3, 0.2])
    with pytest.raises(ConfigError, match=message):
        rule.set_class_distribution(COUNTS)
    with pytest.raises(DistributionError, match='counts of 7 classes, but the scores are of 3'):
        PriorCompensation(class_counts=COUNTS)(torch.zeros(2, 3))


def test_in_a_head():
    """In prediction alone; it declares what it takes out."""
    part = dict(type='PriorCompensation', target_prior=TARGET, class_counts=COUNTS)
    head = LongTailClsHead(num_classes=7, in_channels=4, posthoc=part)
    features = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    plain = head((features, ))
    odds = plain.exp() * torch.tensor(TARGET) / torch.tensor(COUNTS)
    expected = odds / odds.sum(1, keepdim=True)
    scores = torch.stack([sample.pred_score for sample in head.predict((features, ))])
    assert torch.allclose(scores, expected, atol=1e-6)
    assert torch.equal(plain, head.classifier(features))
    assert prior_correction(PriorCompensation, part) == 1.0
