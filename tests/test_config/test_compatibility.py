"""Priors that are corrected twice."""

from __future__ import annotations

import pytest

from ltkit.config import implied_prior_warnings, load_config, prior_correction
from ltkit.registry import MODELS, SAMPLERS


def warnings_of(base, sampler='DefaultSampler', **head) -> list[str]:
    loss = head.pop('loss', dict(type='ToyLoss'))
    options = {'train_dataloader.sampler.type': sampler, 'model.head.loss': dict(_delete_=True, **loss)}
    return implied_prior_warnings(
        load_config(base, {**options, **{f'model.head.{k}': v for k, v in head.items()}})
    )


def test_one_correction_is_sound(base):
    assert warnings_of(base) == []
    assert warnings_of(base, 'ToySampler') == []
    assert warnings_of(base, loss=dict(type='ToyBalancedLoss')) == []
    assert warnings_of(base, loss=dict(type='ToyLoss', drw=dict(begin=1))) == []
    assert warnings_of(base, 'ToyHalfSampler', loss=dict(type='ToyTauLoss', tau=0.5)) == []


def test_sampler_and_loss(base):
    (line,) = warnings_of(base, 'ToySampler', loss=dict(type='ToyBalancedLoss'))
    assert line.startswith('ToyBalancedLoss (model.head.loss, n^-1) and ToySampler (')
    assert 'correct the class prior twice' in line
    assert 'as frequent as n^-1 ' in line and '\n' not in line


def test_half_of_a_correction(base):
    (line,) = warnings_of(base, 'ToyHalfSampler', loss=dict(type='ToyBalancedLoss'))
    assert 'as frequent as n^-0.5 ' in line


def test_deferred_reweighting_counts(base):
    assert 'n^-1 ' in warnings_of(base, 'ToySampler', loss=dict(type='ToyLoss', drw=dict(begin=1)))[0]


def test_deferred_reweighting_of_a_corrected_loss(base):
    (line,) = warnings_of(base, loss=dict(type='ToyTableLoss', weighting='inverse', drw=dict(begin=1)))
    assert (
        'ToyTableLoss (model.head.loss, n^-1) and deferred re-weighting (model.head.loss.drw, n^-1)' in line
    )
    assert warnings_of(base, loss=dict(type='ToyTauLoss', tau=1.5)) == []  # one part, as it was asked for


def test_a_hook_counts(base):
    hook = dict(custom_hooks=[dict(type='DeferredReweighting', begin=1)])
    options = {**hook, 'model.head.loss': dict(_delete_=True, type='ToyBalancedLoss')}
    options['train_dataloader.sampler.type'] = 'DefaultSampler'
    (line,) = implied_prior_warnings(load_config(base, options))
    assert 'DeferredReweighting (custom_hooks.0, n^-1)' in line


def test_posthoc_rule_on_a_corrected_model(base):
    (line,) = warnings_of(base, loss=dict(type='ToyBalancedLoss'), posthoc=dict(type='ToyTauLoss'))
    assert 'ToyTauLoss (model.head.posthoc, n^-1)' in line
    lines = warnings_of(
        base, 'ToySampler', loss=dict(type='ToyBalancedLoss'), posthoc=[dict(type='ToyTauLoss')]
    )
    assert len(lines) == 1 and '3 times' in lines[0] and 'n^-2 ' in lines[0]
    assert warnings_of(base, loss=dict(type='ToyLoss'), posthoc=dict(type='ToyTauLoss')) == []


@pytest.mark.parametrize(
    'name, arguments, expected',
    [
        ('ToyLoss', {}, 0.0),
        ('ToyTauLoss', {}, 1.0),
        ('ToyTauLoss', {'tau': 0.5}, 0.5),
        ('ToyTableLoss', {}, 0.5),
        ('ToyTableLoss', {'weighting': 'inverse'}, 1.0),
        ('ToyTableLoss', {'weighting': 'other', 'drw': {'begin': 1}}, 0.0),
    ],
)
def test_amount_may_depend_on_an_argument(base, name, arguments, expected):
    assert prior_correction(MODELS.get(name), arguments) == expected


@pytest.mark.parametrize(
    'registry, name, expected',
    [
        (SAMPLERS, 'InstanceBalancedSampler', 0.0),
        (SAMPLERS, 'ClassBalancedSampler', 1.0),
        (SAMPLERS, 'ClassAwareSampler', 1.0),
        (SAMPLERS, 'ProgressivelyBalancedSampler', 1.0),
        (SAMPLERS, 'SquareRootSampler', 0.5),
        (MODELS, 'SoftmaxLoss', 0.0),
        (MODELS, 'BalancedSoftmaxLoss', 1.0),
        (MODELS, 'WeightedSoftmaxLoss', 0.4),
        (MODELS, 'LDAMLoss', 0.0),
        (MODELS, 'LogitAdjustment', 1.0),
    ],
)
def test_amounts_of_the_parts_of_ltkit(registry, name, expected):
    assert prior_correction(registry.get(name), {}) == expected


@pytest.mark.parametrize('second, warned', [('ReversedSampler', True), ('InstanceBalancedSampler', False)])
def test_a_pair_of_samplers_has_their_mean(base, second, warned):
    pair = dict(_delete_=True, type='PairedSampler', second=dict(type=second))
    options = {'train_dataloader.sampler': pair, 'model.head.loss': dict(_delete_=True, type='ToyBalancedLoss')}
    lines = implied_prior_warnings(load_config(base, options))
    assert len(lines) == warned
    if warned:
        assert 'PairedSampler (train_dataloader.sampler, n^-1)' in lines[0]
        assert implied_prior_warnings(load_config(base, {'train_dataloader.sampler': dict(
            _delete_=True, type='PairedSampler')})) == []  # alone it corrects once
