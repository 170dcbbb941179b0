"""What equal class counts leave of every loss and post-hoc rule: nothing, to the last bit, or a declared rest."""

from __future__ import annotations

import pytest
import torch

from ltkit.class_weights import RULES as RULES_OF_WEIGHTS
from ltkit.distribution_aware import distribution_aware_parts
from ltkit.models.losses import SoftmaxLoss
from ltkit.models.posthoc import PosthocRule
from ltkit.registry import LOSSES, POSTHOC

SAMPLES = 128
# With these arguments, and equally many samples of each class, the loss is the cross entropy.
REDUCES = {
    'SoftmaxLoss': [{}],
    'BalancedSoftmaxLoss': [{}],
    'LogitAdjustedLoss': [{}, dict(tau=1.5)],
    'VSLoss': [{}, dict(gamma=0.15, tau=1.5)],
    'WeightedSoftmaxLoss': [dict(weighting=rule) for rule in RULES_OF_WEIGHTS],
    'ClassBalancedLoss': [{}, dict(beta=0.9)],
    'GeneralizedReweightLoss': [{}, dict(rho=0.3)],
    'LADELoss': [dict(alpha=0)],
    'LabelAwareSmoothingLoss': [{}, dict(smooth_head=0), dict(smoothed='others')],
    'SoftmaxFocalLoss': [dict(gamma=0), dict(gamma=0, detach_modulator=True)],
    'SoftmaxEqualizationLoss': [{}],
    'LDAMLoss': [dict(max_margin=0)],
    'GaussianCloudedLogitLoss': [{}],
    'InfluenceBalancedLoss': [dict(begin=9)],
    'KPSLoss': [dict(max_margin=0)],
    'ClassDifficultyBalancedLoss': [{}, dict(average='weights')],  # until somebody measures the difficulty
}
SOFT_DIFFERS = ('LDAMLoss', 'KPSLoss')  # of soft labels they have another equation, equal but for rounding
# What stays of the method with equal counts, and by default.
STAYS = {
    'ClassBalancedLoss': [(dict(base='sigmoid'), 'binary labels'), (dict(base='focal'), 'binary labels')],
    'LADELoss': [({}, 'the regulariser')],
    'LabelAwareSmoothingLoss': [(dict(smooth_tail=0.1), 'the smoothing of the smallest class')],
    'SoftmaxFocalLoss': [({}, 'easy samples count less')],
    'LDAMLoss': [({}, 'equal margins are margins')],
    'RIDELoss': [({}, 'margins and the diversity of the experts')],
    'GaussianCloudedLogitLoss': [(dict(margin=0.1), 'the margin'), (dict(gamma=1), 'easy samples count less')],
    'InfluenceBalancedLoss': [({}, 'influence is balanced whatever the class counts')],
    'KPSLoss': [({}, 'equal margins are margins')],
    'MetaWeightNetLoss': [({}, 'weights are learned')],
    'DotRegressionLoss': [({}, 'a regression, no cross-entropy')],
}
RULES = {
    'LogitAdjustment': [{}, dict(tau=1.5)],
    'PriorCompensation': [{}, dict(target_prior=[1 / 10] * 10)],
    'UNOIC': [{}, dict(beta=0.4)],
}
RULES_STAY = {
    'TauNormalization': 'it goes by the norms of the weights, not by counts',
    'TemperatureScaling': 'it goes by held-out samples, not by counts',
    'TotalDirectEffect': 'it goes by the moving feature, not by counts',
}


def registered(registry) -> list[str]:
    """Names of ltkit's own parts; plugins that other tests import are not meant."""
    return [name for name in registry.names() if registry.get(name).__module__.startswith('ltkit.')]


def uniform(name: str, num_classes: int, **kwargs) -> torch.nn.Module:
    loss = LOSSES.build(dict(type=name, **kwargs))
    for part in distribution_aware_parts(loss).values():
        part.set_class_distribution([100] * num_classes)
    return loss


def value_and_gradient(loss, num_classes: int, dtype: torch.dtype, mixed: bool = False) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(num_classes)
    logits = 3 * torch.randn(SAMPLES, num_classes, generator=generator, dtype=dtype)
    target = torch.randint(num_classes, (SAMPLES, ), generator=generator)
    if mixed:  # as mixup does
        target = torch.nn.functional.one_hot(target, num_classes).to(dtype)
        target = 0.3 * target + 0.7 * target.flip(0)
    logits.requires_grad_()
    torch.manual_seed(0)
    more = dict(features=torch.rand(SAMPLES, 16, dtype=dtype)) if loss.needs_features else {}
    value = loss(logits, target, **more)
    value.backward()
    return value.detach(), logits.grad


def test_every_loss_and_rule_is_declared():
    assert {*REDUCES, *STAYS} == set(registered(LOSSES))
    assert {*RULES, *RULES_STAY} == set(registered(POSTHOC))


@pytest.mark.parametrize(('name', 'kwargs'), [(name, kwargs) for name, cases in REDUCES.items() for kwargs in cases])
@pytest.mark.parametrize('drw', [None, dict(begin=0)], ids=['', 'drw'])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_value_and_gradient_are_those_of_cross_entropy_to_the_last_bit(name, kwargs, drw, dtype):
    for num_classes in (10, 37, 100):
        for mixed in (False, True):
            if mixed and name in SOFT_DIFFERS:
                continue
            loss = uniform(name, num_classes, drw=drw, **kwargs)
            found = value_and_gradient(loss, num_classes, dtype, mixed)
            expected = value_and_gradient(SoftmaxLoss(), num_classes, dtype, mixed)
            assert torch.equal(found[0], expected[0])
            assert torch.equal(found[1], expected[1])


@pytest.mark.parametrize(('name', 'kwargs'), [(name, kwargs) for name, cases in STAYS.items() for kwargs, _ in cases])
def test_what_stays_is_no_cross_entropy(name, kwargs):
    """A declaration that is no longer true is to be removed."""
    loss = uniform(name, 10, **kwargs)
    if len(loss.score_dims) == 3:
        logits = torch.randn(3, SAMPLES, 10, generator=torch.Generator().manual_seed(0))
        labels = torch.arange(SAMPLES) % 10
        assert (loss(logits, labels) - sum(SoftmaxLoss()(z, labels) for z in logits)).abs() > 1e-3
        return
    found, expected = (value_and_gradient(each, 10, torch.float64)[1] for each in (loss, SoftmaxLoss()))
    assert (found - expected).abs().max() > 1e-5


@pytest.mark.parametrize(('name', 'kwargs'), [(name, kwargs) for name, cases in RULES.items() for kwargs in cases])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_rules_change_nothing(name, kwargs, dtype):
    rule: PosthocRule = POSTHOC.build(dict(type=name, class_counts=[100] * 10, **kwargs))
    logits = torch.randn(SAMPLES, 10, generator=torch.Generator().manual_seed(0), dtype=dtype)
    if name == 'LogitAdjustment':  # the logarithm of 1 / C, the same for all
        shift = rule(logits) - logits
        assert shift[0, 0] > 1 and torch.allclose(shift, shift[:1, :1].expand_as(shift), rtol=1e-5)
        assert torch.equal(rule(logits).argmax(1), logits.argmax(1))
        return
    assert torch.equal(rule(logits), logits.log_softmax(1) if name == 'UNOIC' else logits)


@pytest.fixture
def trained_weights(small_run):
    """Trains the ResNet-8 on digits of equal class counts for six steps in two epochs; gives its weights."""

    def train(loss: dict) -> dict[str, torch.Tensor]:
        runner = small_run.runner(
            f'model = dict(head=dict(loss=dict(_delete_=True, **{loss!r})))', work_dir=loss['type'],
            train_dataloader__dataset__imbalance_factor=1, train_dataloader__sampler__num_samples=96,
            train_cfg__max_epochs=2, train_cfg__val_interval=3, randomness__seed=3)
        runner.train()
        assert len(set(runner.model.head.loss_module.class_counts.tolist())) == 1
        return dict(runner.model.named_parameters())

    return train


TRAINED = [(name, kwargs, None) for name, all_kwargs in REDUCES.items() for kwargs in all_kwargs]
QUICK = [('WeightedSoftmaxLoss', {}, None), ('SoftmaxEqualizationLoss', {}, None), ('VSLoss', {}, dict(begin=1))]


@pytest.mark.parametrize('cases', [QUICK, pytest.param(TRAINED, marks=pytest.mark.slow)], ids=['quick', 'all'])
def test_training_is_that_of_erm_to_the_last_bit(cases, trained_weights):
    """The counts come from the data set; deferred weights set in with the second epoch."""
    expected = trained_weights(dict(type='SoftmaxLoss'))
    for name, kwargs, drw in cases:
        found = trained_weights(dict(type=name, drw=drw, **kwargs))
        assert found.keys() == expected.keys()
        differing = [key for key, value in expected.items() if not torch.equal(found[key], value)]
        assert not differing, f'{name} with {kwargs}, drw={drw}: {differing}'
