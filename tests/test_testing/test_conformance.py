"""How the kit runs: reports, skips, configs, pytest."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import LongTailLoss
from ltkit.testing import (
    ConformanceError,
    NotApplicable,
    check_loss,
    checks_of,
    parametrize_with_checks,
)
from ltkit.testing.conformance import Check, Part, run_checks
from ltkit.utils.errors import ConfigError


class Doubled(LongTailLoss):
    """Twice the cross entropy; says so."""

    conformance = dict(skip={'uniform_counts': 'it is twice the cross entropy'})

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def sample_losses(self, cls_score, target, class_weight):
        return self.factor * F.cross_entropy(cls_score, target, reduction='none')


def passes(part):
    part.make()


def breaks(part):
    raise ConformanceError('it is broken')


def crashes(part):
    raise KeyError('nothing there')


def inapplicable(part):
    raise NotApplicable('not for this one')


def test_report_lists_all_failures_with_their_reasons():
    checks = dict(passes=passes, breaks=breaks, crashes=crashes)
    with pytest.raises(ConformanceError) as caught:
        run_checks(Part('loss', 'SoftmaxLoss'), checks)
    assert str(caught.value).splitlines() == [
        'SoftmaxLoss fails 2 of 3 loss checks:', '  breaks: it is broken',
        "  crashes: KeyError: 'nothing there'"]
    assert isinstance(caught.value, AssertionError)


def test_report_of_passed_and_skipped():
    part = Part('loss', 'SoftmaxLoss', skip=dict(breaks='known'))
    report = run_checks(part, dict(passes=passes, breaks=breaks, inapplicable=inapplicable))
    assert report == dict(passes='passed', breaks='skipped: known', inapplicable='skipped: not for this one')


@pytest.mark.parametrize('what, kwargs', [
    ('LDAMLoss', dict(max_margin=0.3)),
    (dict(type='LDAMLoss', max_margin=0.3), {}),
    (lambda **kwargs: Part('loss', 'LDAMLoss').make(max_margin=0.3, **kwargs), {}),
], ids=['name', 'config', 'factory'])
def test_ways_to_name_a_part(what, kwargs):
    part = Part('loss', what, kwargs)
    assert type(part.make(class_counts=[3, 2])).__name__ == 'LDAMLoss'
    assert part.accepts('class_counts')


def test_class_declares_its_exceptions():
    report = check_loss(dict(type=Doubled))
    assert report['uniform_counts'] == 'skipped: it is twice the cross entropy'
    with pytest.raises(ConformanceError, match=r'loss checks:\n  gradient_reaches_every_sample'):
        check_loss(dict(type=Doubled), factor=0.0)


def test_arguments_through_the_bases():
    part = Part('loss', Doubled)
    assert part.accepts('factor') and part.accepts('reduction') and not part.accepts('margin')


def test_skip_must_name_a_check_and_a_reason():
    with pytest.raises(ConfigError, match=r"'uniform_count'.*did you mean 'uniform_counts'"):
        check_loss(Doubled, skip=dict(uniform_count='x'))
    with pytest.raises(ConfigError, match='needs a reason'):
        check_loss(Doubled, skip=dict(uniform_counts=''))
    with pytest.raises(ConfigError, match="'los' is not a kind of part; did you mean 'loss'"):
        checks_of('los')


def test_a_check_leaves_the_random_state():
    state = random.getstate(), torch.get_rng_state()
    Check('uniform_counts', checks_of('loss')['permutation_of_samples'], Part('loss', 'SoftmaxLoss'))()
    assert random.getstate() == state[0] and torch.equal(torch.get_rng_state(), state[1])


def test_every_check_says_what_it_proves():
    for kind in ('loss', 'regularizer', 'sampler', 'classifier', 'metric', 'dataset'):
        for name, check in checks_of(kind).items():
            assert check.__doc__ and check.__doc__.rstrip().endswith('.'), f'{kind} {name}'


@parametrize_with_checks('loss', 'SoftmaxLoss', dict(type=Doubled, factor=2.0), skip={'compiles': 'slow'})
def test_as_pytest_parameters(check):
    check()
