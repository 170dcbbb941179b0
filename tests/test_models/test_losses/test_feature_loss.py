"""Tests of ltkit.models.losses.feature_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import FeatureLoss, LongTailLoss, SoftmaxLoss
from ltkit.utils.errors import ConfigError


class Scaled(FeatureLoss):
    """Cross entropy times the mean feature."""

    def compute(self, cls_score, target, reduce, features):
        self.seen = features
        return reduce(self.sample_losses(cls_score, target, None) * features.mean(dim=1))


class OfExperts(FeatureLoss):
    score_dims = ('E', 'N', 'C')

    def compute(self, cls_score, target, reduce, features):
        return features.sum()


def test_features_reach_the_loss_and_it_is_reduced(case):
    features = torch.rand(12, 5)
    each = F.cross_entropy(case.logits, case.labels, reduction='none') * features.double().mean(1)
    loss = Scaled(loss_weight=2.0)
    assert torch.allclose(loss(case.logits, case.labels, features=features), 2 * each.mean())
    weight = torch.rand(12)
    value = loss(case.logits, case.labels, weight, reduction_override='none', features=features)
    assert torch.allclose(value, 2 * each * weight)
    assert torch.allclose(loss(case.logits, case.labels, avg_factor=5, features=features), 2 * each.sum() / 5)


@pytest.mark.parametrize(('logits', 'features', 'wanted'), [
    ('float16', 'bfloat16', 'float32'), ('float32', 'float64', 'float32'), ('float64', 'float32', 'float64'),
])
def test_features_take_the_dtype_of_the_logits(logits, features, wanted, case):
    loss = Scaled()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss(case.logits.to(getattr(torch, logits)), case.labels,
                     features=torch.rand(12, 5, dtype=getattr(torch, features)))
    assert loss.seen.dtype == value.dtype == getattr(torch, wanted)


def test_without_a_method_it_is_the_cross_entropy(case):
    value = FeatureLoss()(case.logits, case.labels, features=torch.rand(12, 5))
    assert torch.equal(value, SoftmaxLoss()(case.logits, case.labels))


def test_who_needs_features():
    assert FeatureLoss.needs_features and not LongTailLoss.needs_features


def test_missing_and_wrong_features(case):
    with pytest.raises(ConfigError, match=r'Scaled needs the features: .* call loss\(cls_score, target, features='):
        Scaled()(case.logits, case.labels)
    with pytest.raises(ConfigError, match=r'shape \(N, d\) for cls_score \(N, C\), but got torch.float32 of \(11, 5\) '
                                          r'for \(12, 7\)'):
        Scaled()(case.logits, case.labels, features=torch.rand(11, 5))
    with pytest.raises(ConfigError, match=r'but got torch\.int64'):
        Scaled()(case.logits, case.labels, features=torch.ones(12, 5).long())
    with pytest.raises(ConfigError, match=r'shape \(E, N, d\) for cls_score \(E, N, C\), but got'):
        OfExperts()(case.experts, case.labels, features=torch.rand(12, 5))
    assert OfExperts()(case.experts, case.labels, features=torch.ones(3, 12, 5)) == 180
