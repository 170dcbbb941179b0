"""Each check of a regulariser is failed by one that breaks that promise."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.regularizers import Regularizer
from ltkit.testing import ConformanceError, NotApplicable, check_regularizer, checks_of
from ltkit.testing.conformance import Check, Part

WRONG: dict[str, type] = {}


def fails(name):
    def keep(cls):
        WRONG[name] = cls
        return cls
    return keep


class Good(Regularizer):
    """Squares of the features and of the true logit, weighted by the class count."""

    def penalty(self, features, logits, target):
        if target.dim() == 2:
            target = target.argmax(1)
        own = logits.gather(1, target[:, None])[:, 0]
        return (self.counts_for(logits)[target] * (features.square().mean(1) + own.square())).mean()


@fails('finite_scalar')
class Vector(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features, logits, target)[None]


@fails('gradient_is_right')
class Detached(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features, logits, target) * features.detach().square().sum()


@fails('gradient_reaches_the_model')
class Constant(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features, logits, target) * 0


@fails('permutation_of_samples')
class ByPosition(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features[:-1], logits[:-1], target[:-1])


@fails('permutation_of_classes')
class ByClassNumber(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features, logits, target) + (logits * torch.arange(logits.size(1))).sum()


@fails('dtypes')
class KeepsTheDtype(Good):
    def forward(self, features, logits, target):
        return super().forward(features, logits, target).to(features.dtype)


@fails('features_in_one_place')
class Normalised(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features / features.norm(dim=1, keepdim=True), logits, target)


@fails('large_features')
class InHalf(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features.half().square(), logits, target)


@fails('one_sample')
class Deviation(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features / features.std(0), logits, target)


@fails('one_class')
class Others(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features, logits, target) * features[target != target[0]].mean()


@fails('missing_counts')
class GuessesTheCounts(Good):
    def counts_for(self, logits):
        return super().counts_for(logits) if self.has_class_counts else torch.ones(5)


@fails('loss_weight')
class IgnoresTheWeight(Good):
    def __init__(self, class_counts=None, loss_weight=1.0):
        super().__init__(class_counts)


@fails('soft_labels')
class RoundsSoftLabels(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features, logits, target.long()[:, 0] if target.dim() == 2 else target)


@fails('input_unchanged')
class WritesToIt(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features.data.mul_(2), logits, target)


@fails('state_dict_round_trip')
class ForgetsTheCounts(Good):
    def _load_from_state_dict(self, *args, **kwargs):
        pass


@fails('config_round_trip')
class Nameless(Good):
    def __repr__(self):
        return 'term()'


@fails('copies_are_equal')
class HoldsALambda(Good):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.function = lambda x: x


@fails('autocast')
class LowPrecision(Good):
    def forward(self, features, logits, target):
        return super().forward(features @ torch.eye(features.size(1), dtype=features.dtype), logits, target)


@fails('compiles')
class ReadsAValue(Good):
    def penalty(self, features, logits, target):
        if features.sum().item() > 1e30:
            print('large')
        return super().penalty(features, logits, target)


@fails('follows_the_device')
class OnTheCPU(Good):
    def penalty(self, features, logits, target):
        return super().penalty(features + torch.tensor([1.0]).to('cpu'), logits, target)


def test_a_good_regularizer_passes():
    assert set(check_regularizer(dict(type=Good)).values()) == {'passed'}


def test_each_check_can_fail():
    assert set(WRONG) == set(checks_of('regularizer'))


@pytest.mark.parametrize('name', WRONG)
def test_wrong_regularizer_is_caught(name):
    check = Check(name, checks_of('regularizer')[name], Part('regularizer', dict(type=WRONG[name])))
    with pytest.raises(ConformanceError):
        check()


def test_checks_that_do_not_apply_are_skipped():
    class Plain(torch.nn.Module):
        def forward(self, features, logits, target):
            return features.square().mean()
    for name in ('loss_weight', 'config_round_trip'):
        with pytest.raises(NotApplicable):
            Check(name, checks_of('regularizer')[name], Part('regularizer', Plain))()
