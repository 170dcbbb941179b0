"""Each check of a loss is failed by a loss that breaks that promise."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import FeatureLoss, LongTailLoss
from ltkit.testing import ConformanceError, NotApplicable, check_loss, checks_of
from ltkit.testing.conformance import Check, Part

WRONG: dict[str, type] = {}


def fails(name):
    def keep(cls):
        WRONG[name] = cls
        return cls
    return keep


class Good(LongTailLoss):
    """Balanced Softmax, plainly."""

    def adjust_logits(self, cls_score, target):
        return cls_score + self.log_prior_for(cls_score)


class WithFeatures(FeatureLoss):
    """Balanced Softmax, weighted by features that are the same for all samples."""

    def compute(self, cls_score, target, reduce, features):
        assert features.shape[:-1] == cls_score.shape[:-1] and features.dtype == cls_score.dtype
        losses = self.sample_losses(cls_score + self.log_prior_for(cls_score), target, None)
        return reduce(losses * features.mean(dim=-1))


@fails('finite_scalar')
class Vector(Good):
    def forward(self, cls_score, target, **kwargs):
        return super().forward(cls_score, target, reduction_override='none')


@fails('gradient_is_right')
class Detached(Good):
    def sample_losses(self, cls_score, target, class_weight):
        return super().sample_losses(cls_score, target, class_weight) * cls_score.detach().square().sum(1)


@fails('gradient_reaches_every_sample')
class Skips(Good):
    def sample_losses(self, cls_score, target, class_weight):
        return super().sample_losses(cls_score, target, class_weight) * (target > 0)


@fails('permutation_of_samples')
class ByPosition(Good):
    def sample_losses(self, cls_score, target, class_weight):
        return super().sample_losses(cls_score, target, class_weight) * torch.arange(len(target))


@fails('permutation_of_classes')
class ByClassNumber(Good):
    def adjust_logits(self, cls_score, target):
        return cls_score + torch.arange(cls_score.size(1))


@fails('uniform_counts')
class UnnormalisedPrior(LongTailLoss):
    def adjust_logits(self, cls_score, target):
        return cls_score * self.counts_for(cls_score).log()


@fails('dtypes')
class AlwaysSingle(Good):
    def forward(self, cls_score, target, **kwargs):
        return super().forward(cls_score.float(), target, **kwargs)


@fails('extreme_logits')
class NaiveSoftmax(Good):
    def sample_losses(self, cls_score, target, class_weight):
        exponent = cls_score.exp()
        return -(exponent / exponent.sum(1, keepdim=True)).gather(1, target[:, None])[:, 0].log()


@fails('empty_class')
class RawCounts(Good):
    def adjust_logits(self, cls_score, target):
        return cls_score - 1 / self.class_counts.to(cls_score)


@fails('one_sample')
class BatchDeviation(Good):
    def adjust_logits(self, cls_score, target):
        return cls_score / cls_score.std(0)


@fails('one_class')
class OverOtherClasses(Good):
    def sample_losses(self, cls_score, target, class_weight):
        losses = super().sample_losses(cls_score, target, class_weight)
        return losses / torch.tensor(cls_score.size(1) - 1.0)


@fails('missing_counts')
class AssumesCounts(Good):
    def adjust_logits(self, cls_score, target):
        return cls_score + self.class_counts.clamp(min=1).log()


@fails('wrong_number_of_counts')
class CutsCounts(Good):
    def adjust_logits(self, cls_score, target):
        return cls_score + self.counts_for(cls_score, len(self.class_counts))[:cls_score.size(1)].log()

    def counts_for(self, scores, num_classes=None):
        return super().counts_for(scores, num_classes or scores.size(-1))


@fails('counts_from_the_hook')
class CountsAtBirth(LongTailLoss):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.prior = self.class_counts.double() / 10

    def adjust_logits(self, cls_score, target):
        return cls_score + (self.prior if len(self.prior) else 0)


@fails('reductions')
class MeanOnly(Good):
    def forward(self, cls_score, target, weight=None, avg_factor=None, reduction_override=None):
        return super().forward(cls_score, target)


@fails('sample_weight')
class NoWeight(Good):
    def forward(self, cls_score, target, weight=None, **kwargs):
        return super().forward(cls_score, target, **kwargs)


@fails('avg_factor')
class NoAvgFactor(Good):
    def forward(self, cls_score, target, avg_factor=None, **kwargs):
        return super().forward(cls_score, target, **kwargs)


@fails('loss_weight')
class NoLossWeight(Good):
    def __init__(self, loss_weight=1.0, **kwargs):
        super().__init__(**kwargs)


@fails('soft_labels')
class SoftCrash(Good):
    def sample_losses(self, cls_score, target, class_weight):
        return self.adjust_logits(cls_score, target).logsumexp(1) - cls_score.gather(1, target[:, None])[:, 0]


@fails('wrong_labels')
class Clamps(Good):
    def forward(self, cls_score, target, **kwargs):
        return super().forward(cls_score, target.clamp(0, cls_score.size(1) - 1), **kwargs)


@fails('input_unchanged')
class InPlace(Good):
    def forward(self, cls_score, target, **kwargs):
        with torch.no_grad():
            cls_score -= cls_score.max()
        return super().forward(cls_score, target, **kwargs)


@fails('state_dict_round_trip')
class PlainAttribute(LongTailLoss):
    def on_class_counts(self):
        self.counts = self.class_counts.double() if self.has_class_counts else torch.zeros(5)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.on_class_counts()

    def adjust_logits(self, cls_score, target):
        return cls_score + self.counts

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs):
        pass


@fails('features')
class DoesNotAskForFeatures(Good):
    needs_features = True

    def forward(self, cls_score, target, features=None):
        return super().forward(cls_score, target)


@fails('config_round_trip')
class Nameless(Good):
    def __repr__(self):
        return 'loss()'


@fails('copies_are_equal')
class HoldsALambda(Good):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.function = lambda x: x


@fails('autocast')
class LowPrecision(Good):
    def forward(self, cls_score, target, **kwargs):
        eye = torch.eye(cls_score.size(-1), dtype=cls_score.dtype)
        return super().forward(cls_score @ eye, target, **kwargs)


@fails('compiles')
class ReadsAValue(Good):
    def forward(self, cls_score, target, **kwargs):
        if cls_score.sum().item() > 1e30:
            print('large')
        return super().forward(cls_score, target, **kwargs)


@fails('follows_the_device')
class OnTheCPU(Good):
    def adjust_logits(self, cls_score, target):
        return super().adjust_logits(cls_score, target) + torch.tensor([1.0]).to('cpu')


@fails('epochs')
class Remembers(Good):
    seen = 0

    def set_epoch(self, epoch, max_epochs):
        self.seen += 1

    def adjust_logits(self, cls_score, target):
        return (1 + self.seen) * super().adjust_logits(cls_score, target)


@fails('two_processes')
class LocalDivisor(Good):
    def compute(self, cls_score, target, reduce):
        if reduce.kind != 'mean':
            return super().compute(cls_score, target, reduce)
        weight = 1 / self.counts_for(cls_score)[target]
        return (F.cross_entropy(cls_score, target, reduction='none') * weight).sum() / weight.sum()


def test_a_good_loss_passes():
    report = check_loss(dict(type=Good))
    assert set(report.values()) == {'passed'} and len(report) == len(checks_of('loss'))


def test_a_loss_with_features_is_given_some():
    assert set(check_loss(dict(type=WithFeatures)).values()) == {'passed'}


def test_undeclared_need_of_features_is_caught():
    class Undeclared(Good):
        def forward(self, cls_score, target, features=None):
            return super().forward(cls_score, target) * features.mean()

    with pytest.raises(ConformanceError, match='without needs_features it must work without features'):
        Check('features', checks_of('loss')['features'], Part('loss', Undeclared))()


def test_each_check_can_fail():
    assert set(WRONG) == set(checks_of('loss'))


@pytest.mark.parametrize('name', WRONG)
def test_wrong_loss_is_caught(name):
    check = Check(name, checks_of('loss')[name], Part('loss', dict(type=WRONG[name])))
    with pytest.raises(ConformanceError):
        check()


def test_checks_that_do_not_apply_are_skipped():
    class Plain(torch.nn.Module):
        def forward(self, cls_score, target, **kwargs):
            return F.cross_entropy(cls_score, target)
    for name in ('epochs', 'counts_from_the_hook', 'loss_weight', 'config_round_trip'):
        with pytest.raises(NotApplicable):
            Check(name, checks_of('loss')[name], Part('loss', Plain))()
