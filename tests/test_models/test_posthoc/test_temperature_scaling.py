"""Tests of ltkit.models.posthoc.temperature_scaling."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.heads import LongTailClsHead
from ltkit.models.posthoc import TemperatureScaling
from ltkit.models.posthoc.temperature_fit import fit_temperature
from ltkit.registry import POSTHOC
from ltkit.utils.errors import ConfigError
from ltkit.utils.weights import load_weights


def some_logits(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(50, 4, generator=generator, dtype=dtype)
    return logits, torch.randint(4, (50, ), generator=generator)


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32, torch.bfloat16])
def test_equation(dtype):
    logits, _ = some_logits(dtype)
    rule = POSTHOC.build(dict(type='TemperatureScaling', temperature=1.6))
    scaled = rule(logits)
    assert scaled.dtype == dtype
    for row, found in zip(logits.tolist(), scaled.tolist()):
        assert found == pytest.approx([value / 1.6 for value in row], rel=1e-2 if dtype == torch.bfloat16 else 1e-6)
    assert torch.equal(scaled.argmax(1), logits.argmax(1))
    assert torch.equal(TemperatureScaling(1.0)(logits), logits)
    assert not rule.needs_fit and 'temperature=1.6' in repr(rule)


@pytest.fixture
def said(monkeypatch):
    """What the module logs."""
    lines = []
    monkeypatch.setattr('ltkit.models.posthoc.temperature_scaling.print_log', lambda line, *_, **__: lines.append(line))
    return lines


def test_without_a_temperature_it_changes_nothing_and_says_so_once(said):
    rule = TemperatureScaling()
    logits, _ = some_logits()
    assert rule(logits) is logits and rule(logits) is logits
    assert rule.needs_fit and 'temperature=None' in repr(rule)
    assert len(said) == 1 and 'has no temperature yet and leaves the logits as they are' in said[0]


def test_fit():
    rule = TemperatureScaling()
    logits, labels = some_logits()
    rule.fit(logits, labels)
    assert not rule.needs_fit and float(rule.temperature) == fit_temperature(logits, labels)[0]
    assert torch.equal(rule(logits), logits / rule.temperature)
    before, after = (torch.nn.functional.cross_entropy(z, labels) for z in (logits, rule(logits)))
    assert after < before


def test_a_bound_is_told(said):
    rule = TemperatureScaling()
    rule.fit(torch.eye(3), torch.arange(3))
    assert float(rule.temperature) == pytest.approx(1e-3)
    assert len(said) == 1 and said[0].startswith('TemperatureScaling: temperature 0.001 is no optimum: ')


def test_the_temperature_travels_in_a_state_dict():
    fitted, loaded, given = TemperatureScaling(), TemperatureScaling(), TemperatureScaling(2.0)
    fitted.fit(*some_logits())
    loaded.load_state_dict(fitted.state_dict())
    given.load_state_dict(fitted.state_dict())
    assert torch.equal(loaded.temperature, fitted.temperature) and not loaded.needs_fit
    assert float(given.temperature) == 2.0
    given.load_state_dict(TemperatureScaling().state_dict())
    assert float(given.temperature) == 2.0
    loaded.load_state_dict(TemperatureScaling().state_dict())
    assert loaded.needs_fit


@pytest.mark.parametrize('stored, built, known', [
    ([], [dict(type='TemperatureScaling')], False), ([TemperatureScaling(1.5)], [], None),
    ([TemperatureScaling(1.5)], [dict(type='TemperatureScaling')], True),
    ([TemperatureScaling()], [dict(type='TemperatureScaling')], False),
    ([TemperatureScaling(1.5)], [dict(type='LogitAdjustment')], None)])
def test_a_checkpoint_fits_a_head_with_other_rules(stored, built, known):
    """Rules are no part of what was trained."""
    one, other = (LongTailClsHead(3, 2, posthoc=rules) for rules in (stored, built))
    models = [torch.nn.ModuleDict(dict(head=head)) for head in (one, other)]
    load_weights(models[1], dict(state_dict=models[0].state_dict()), 'some.pth')
    assert torch.equal(other.classifier.weight, one.classifier.weight)
    if known is not None:
        assert other.posthoc[0].needs_fit is not known
        assert not known or float(other.posthoc[0].temperature) == 1.5


def test_compiles_without_a_break():
    rule = TemperatureScaling(1.5)
    logits, _ = some_logits()
    assert torch.equal(torch.compile(rule, fullgraph=True, backend='eager')(logits), rule(logits))


@pytest.mark.parametrize('wrong', [0, -1, 'a', float('inf'), float('nan'), True, 1e4])
def test_bad_temperature(wrong):
    with pytest.raises(ConfigError, match=r'temperature must be a number in \[0.001, 1000\], but is'):
        TemperatureScaling(wrong)
