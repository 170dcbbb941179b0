"""Tests of ltkit.models.heads.multi_expert_head."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ltkit.registry import HEADS, REGULARIZERS
from ltkit.structures import DataSample
from ltkit.utils.errors import ConfigError


class Joint(nn.Module):
    """A multi-expert loss that remembers its input."""

    score_dims = ('E', 'N', 'C')

    def forward(self, cls_score, target):
        self.seen = cls_score
        return cls_score.square().mean()


class FeatureNorm(nn.Module):

    def forward(self, features, logits, target):
        return features.square().mean()


def build(**kwargs):
    cfg = dict(type='MultiExpertHead', num_experts=3, num_classes=4, in_channels=6)
    return HEADS.build({**cfg, **kwargs})


def features(experts=3, width=6):
    return tuple(torch.randn(5, width, requires_grad=True) for _ in range(experts))


def samples():
    return [DataSample().set_gt_label(i) for i in (0, 1, 2, 3, 0)]


def test_each_expert_has_its_own_classifier():
    head = build(loss=Joint(), classifier=dict(type='CosineClassifier', scale=10))
    feats = features()
    logits = head(feats)
    assert logits.shape == (3, 5, 4)
    for e in range(3):
        assert torch.equal(logits[e], head.classifiers[e](feats[e]))
    assert not torch.equal(head.classifiers[0].weight, head.classifiers[1].weight)


def test_a_multi_expert_loss_sees_all_experts_and_gradients_reach_them():
    loss = Joint()
    head = build(loss=loss)
    feats = features()
    head.loss(feats, samples())['loss'].backward()
    assert torch.equal(loss.seen, head(feats))
    assert all(x.grad.abs().sum() > 0 for x in feats)
    assert all(c.weight.grad.abs().sum() > 0 for c in head.classifiers)


def test_any_other_loss_is_added_over_the_experts():
    head = build(loss=dict(type='SoftmaxLoss'))
    feats = features()
    target = torch.tensor([0, 1, 2, 3, 0])
    want = sum(F.cross_entropy(z, target) for z in head(feats))
    assert torch.allclose(head.loss(feats, samples())['loss'], want)


def test_a_loss_that_needs_features_gets_those_of_each_expert():
    head = build(loss=dict(type='InfluenceBalancedLoss', class_counts=[50, 20, 10, 5]))
    feats = features()
    target = torch.tensor([0, 1, 2, 3, 0])
    want = sum(head.loss_module(z, target, features=x) for z, x in zip(head(feats), feats))
    assert torch.allclose(head.loss(feats, samples())['loss'], want)


def test_a_multi_expert_loss_that_needs_features_gets_all():
    class Stacked(Joint):
        needs_features = True

        def forward(self, cls_score, target, features):
            self.features = features
            return super().forward(cls_score, target)

    loss, feats = Stacked(), features()
    build(loss=loss).loss(feats, samples())
    assert torch.equal(loss.features, torch.stack(feats))


def test_ride_is_the_default_loss_and_takes_the_scale():
    head = build(classifier=dict(type='CosineClassifier', scale=12), loss=dict(
        type='RIDELoss', class_counts=[50, 20, 10, 5]))
    assert head.loss_module.scale == 12
    assert torch.isfinite(head.loss(features(), samples())['loss'])
    assert type(build().loss_module).__name__ == 'RIDELoss'


def test_prediction_is_the_mean_of_the_logits():
    head = build(loss=Joint(), posthoc=nn.Softplus())
    feats = features()
    scores = torch.stack([s.pred_score for s in head.predict(feats)])
    want = F.softplus(sum(head(feats)[e] for e in range(3)) / 3).softmax(1)
    assert torch.allclose(scores, want)


def test_regularizers_are_averaged_over_the_experts():
    feats = features()
    losses = build(loss=Joint(), regularizers=FeatureNorm()).loss(feats, samples())
    want = sum(x.square().mean() for x in feats) / 3
    assert torch.allclose(losses['loss_feature_norm'], want)


def test_training_accuracy_is_that_of_the_mean():
    head = build(loss=Joint(), cal_acc=True)
    feats = features()
    want = (head(feats).mean(0).argmax(1) == torch.tensor([0, 1, 2, 3, 0])).float().mean() * 100
    assert torch.equal(head.loss(feats, samples())['accuracy_top1'], want)


def test_state_dict_round_trip():
    loss = dict(type='RIDELoss')
    trained, fresh = build(loss=loss), build(loss=loss)
    trained.loss_module.set_class_distribution([50, 20, 10, 5])
    fresh.load_state_dict(trained.state_dict())
    feats = features()
    assert torch.equal(fresh.loss(feats, samples())['loss'], trained.loss(feats, samples())['loss'])


@pytest.mark.parametrize('kwargs,message', [
    (dict(num_experts=0), 'num_experts must be'),
    (dict(classifier=nn.Linear(6, 4)), 'give classifier as a config'),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        build(loss=Joint(), **kwargs)


def test_wrong_features():
    head = build(loss=Joint())
    with pytest.raises(ConfigError, match='num_experts is 3, but the backbone gives 2'):
        head(features(experts=2))
    with pytest.raises(ConfigError, match='in_channels is 6, but the features have 7'):
        head(features(width=7))


def test_each_expert_has_a_regulariser_of_its_own_where_that_learns():
    cfg = dict(type='NeuralCollapseRegularizer')
    head = build(loss=Joint(), regularizers=[cfg, FeatureNorm()])
    own, shared = head.regularizers.values()
    assert list(head.regularizers) == ['neural_collapse_regularizer', 'feature_norm'] and len(own) == 3
    assert not torch.equal(own[0].centres, own[1].centres)
    feats, target = features(), torch.tensor([0, 1, 2, 3, 0])
    losses = head.loss(feats, samples())
    logits = head(feats)
    want = sum(one(features=x, logits=z, target=target) for one, x, z in zip(own, feats, logits))
    assert torch.allclose(losses['loss_neural_collapse_regularizer'], want)
    assert torch.allclose(losses['loss_feature_norm'], sum(shared(x, None, None) for x in feats) / 3)
    with pytest.raises(ConfigError, match='builds one NeuralCollapseRegularizer an expert; give it as a config'):
        build(regularizers=REGULARIZERS.build({**cfg, 'num_classes': 4, 'in_channels': 6}))


def test_the_rows_of_all_classifiers():
    head = build(loss=Joint())
    assert torch.equal(head.class_vectors(), torch.cat([part.weight for part in head.classifiers], 1))
    head.classifiers[1] = nn.Identity()
    assert head.class_vectors() is None
