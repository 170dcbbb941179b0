"""Tests of ltkit.models.posthoc.unoic."""

from __future__ import annotations

import pytest
import torch

from ltkit.config import prior_correction
from ltkit.evaluation.functional import expected_calibration_error, reliability_bins, top_label
from ltkit.models.heads import LongTailClsHead
from ltkit.models.posthoc import UNOIC, LogitAdjustment, PriorCompensation
from ltkit.registry import POSTHOC
from ltkit.utils.errors import ConfigError, DistributionError

COUNTS = [int(500 * 0.01**(c / 6)) for c in (3, 0, 6, 1, 5, 2, 4)]  # 500 to 5, in no order
TARGET = [0.05, 0.1, 0.3, 0.02, 0.23, 0.2, 0.1]
BETAS = [0.0, 0.4, 1.0, 1.3]


def logits_of(shape=(12, 7)) -> torch.Tensor:
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def of_the_paper(logits, beta, target=None) -> torch.Tensor:
    """Probabilities, multiplied and normalised in the three steps of the method."""
    source = torch.tensor([n / sum(COUNTS) for n in COUNTS], dtype=torch.float64)
    odds = logits.exp()
    p = odds / odds.sum(-1, keepdim=True)
    p_r = p / source * (1.0 if target is None else torch.tensor(target, dtype=torch.float64))
    p_r = p_r / p_r.sum(-1, keepdim=True)
    q = p**(1 - beta) * p_r**beta
    return q / q.sum(-1, keepdim=True)


@pytest.mark.parametrize('beta', BETAS)
@pytest.mark.parametrize('target', [None, TARGET])
@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize('shape', [(12, 7), (2, 3, 7), (7, )])
def test_equation(beta, target, dtype, tolerance, shape):
    rule = POSTHOC.build(dict(type='UNOIC', beta=beta, target_prior=target, class_counts=COUNTS))
    logits = logits_of(shape).to(dtype)
    found, expected = rule(logits), of_the_paper(logits.double(), beta, target)
    assert found.dtype == dtype
    assert found.shape == shape
    assert (found.softmax(-1) - expected).abs().max() < tolerance
    assert (found - expected.log()).abs().max() < 2 * tolerance  # log-probabilities, not any logits
    assert torch.equal(found.argmax(-1), expected.argmax(-1))


@pytest.mark.parametrize('target', [None, TARGET])
def test_gradient(target):
    logits, plain = (logits_of().requires_grad_() for _ in range(2))
    weights = logits_of().flip(0)
    (UNOIC(0.4, target, COUNTS)(logits).exp() * weights).sum().backward()
    (of_the_paper(plain, 0.4, target) * weights).sum().backward()
    assert plain.grad.abs().max() > 1e-3
    assert (logits.grad - plain.grad).abs().max() < 1e-10


@pytest.mark.parametrize('beta', BETAS)
def test_uniform_target_is_logit_adjustment(beta):
    """Logits differ by a constant of the sample; probabilities, decisions and calibration do not."""
    logits, labels = logits_of((200, 7)), torch.arange(200) % 7
    for target in (None, [1 / 7] * 7, [50] * 7):
        found, adjusted = UNOIC(beta, target, COUNTS)(logits), LogitAdjustment(beta, COUNTS)(logits)
        difference = found - adjusted
        assert (difference - difference[:, :1]).abs().max() < 1e-12
        assert (found.softmax(1) - adjusted.softmax(1)).abs().max() < 1e-14
        assert torch.equal(found.argmax(1), adjusted.argmax(1))
        errors = [expected_calibration_error(reliability_bins(*top_label(scores.softmax(1), labels)))
                  for scores in (found, adjusted)]
        assert errors[0] == pytest.approx(errors[1], abs=1e-12)


def test_beta_of_zero_and_one():
    logits = logits_of()
    assert torch.equal(UNOIC(0, TARGET, COUNTS)(logits), logits.log_softmax(1))
    whole = PriorCompensation(TARGET, COUNTS)(logits)
    assert (UNOIC(1, TARGET, COUNTS)(logits) - whole.log_softmax(1)).abs().max() < 1e-12
    assert torch.equal(UNOIC(1.3, class_counts=[4] * 7)(logits), logits.log_softmax(1))


def test_names_of_the_classes_do_not_matter():
    order, logits = [4, 0, 6, 2, 5, 1, 3], logits_of()
    permuted = UNOIC(0.4, [TARGET[c] for c in order], [COUNTS[c] for c in order])(logits[:, order])
    assert (permuted - UNOIC(0.4, TARGET, COUNTS)(logits)[:, order]).abs().max() < 1e-12


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_extremes_are_finite(dtype):
    """Probabilities of e ** -20000 are 0; their logarithms are not lost."""
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]]).to(dtype)
    for target in (None, [8, 0, 2]):
        for beta in BETAS:
            with torch.autocast('cpu', dtype=torch.bfloat16):
                found = UNOIC(beta, target, class_counts=[5, 0, 3])(logits)
            assert found.isfinite().all()
            assert found.dtype == torch.float32
            assert found.exp().sum(1).tolist() == pytest.approx([1, 1])


def test_an_empty_class_can_be_predicted():
    assert UNOIC(class_counts=[500, 0])(torch.zeros(1, 2)).argmax() == 1


def test_compiles_whole():
    rule = UNOIC(0.4, TARGET, COUNTS)
    assert torch.equal(torch.compile(rule, fullgraph=True, backend='eager')(logits_of()), rule(logits_of()))


def test_counts_come_with_the_checkpoint():
    rule, other = UNOIC(0.4, class_counts=COUNTS), UNOIC(0.4)
    with pytest.raises(DistributionError, match='UNOIC needs the class counts'):
        other(logits_of())
    other.load_state_dict(rule.state_dict())
    assert torch.equal(other(logits_of()), rule(logits_of()))
    assert repr(rule) == 'UNOIC(beta=0.4, target_prior=uniform)'


@pytest.mark.parametrize('beta', [-0.1, float('nan'), float('inf'), True, '1', None])
def test_bad_beta(beta):
    with pytest.raises(ConfigError, match=f'beta must be a number 0 or more, but is {beta!r}'):
        UNOIC(beta)


def test_bad_target():
    with pytest.raises(ConfigError, match='UNOIC: target_prior must be probabilities'):
        UNOIC(target_prior=[0.5, 0.4])
    with pytest.raises(ConfigError, match='UNOIC: target_prior has 2 classes, but the training set has 7'):
        UNOIC(target_prior=[0.5, 0.5], class_counts=COUNTS)


def test_in_a_head():
    part = dict(type='UNOIC', beta=0.4, class_counts=COUNTS)
    head = LongTailClsHead(num_classes=7, in_channels=4, posthoc=[part, dict(type='LogitAdjustment', tau=0.6,
                                                                             class_counts=COUNTS)])
    features = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    scores = torch.stack([sample.pred_score for sample in head.predict((features, ))])
    expected = of_the_paper(head((features, )).double(), 1.0)  # 0.4, and 0.6 after it
    assert (scores - expected).abs().max() < 1e-6


@pytest.mark.parametrize('arguments, amount', [({}, 1.0), (dict(beta=0.4), 0.4), (dict(beta=0), 0.0)])
def test_what_it_takes_out(arguments, amount):
    assert prior_correction(UNOIC, arguments) == amount
