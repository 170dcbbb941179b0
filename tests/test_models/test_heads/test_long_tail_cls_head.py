"""Tests of ltkit.models.heads.long_tail_cls_head."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from ltkit.distribution_aware import distribution_aware_parts
from ltkit.models.regularizers import Regularizer
from ltkit.registry import HEADS, LOSSES, MODELS
from ltkit.structures import DataSample
from ltkit.utils.errors import ConfigError, DataError


class ScaledLoss(nn.Module):
    """A loss that takes the scale of the classifier."""

    def __init__(self, scale=None):
        super().__init__()
        self.scale_given = scale is not None
        self.scale = 30.0 if scale is None else scale

    def set_scale(self, scale):
        self.scale = scale

    def forward(self, cls_score, target):
        return cls_score.sum() * 0 + self.scale


class FeatureNorm(nn.Module):
    """A regulariser that remembers what it is called with."""

    def forward(self, features, logits, target):
        self.seen = (features, logits, target)
        return features.square().mean()


class Shift(nn.Module):
    """A post-hoc rule."""

    def __init__(self, by):
        super().__init__()
        self.by = torch.tensor(by)

    def forward(self, logits):
        return logits * 2 + self.by


def build(**kwargs):
    return HEADS.build({**dict(type='LongTailClsHead', num_classes=4, in_channels=6), **kwargs})


def samples(labels):
    return [DataSample().set_gt_label(i) for i in labels]


def test_logits_and_loss_are_those_of_the_parts():
    head = build(classifier=dict(type='CosineClassifier', scale=20))
    feats = (torch.rand(5, 2), torch.randn(5, 6))
    logits = head(feats)
    assert torch.equal(logits, head.classifier(feats[-1]))
    losses = head.loss(feats, samples([0, 1, 2, 3, 0]))
    want = nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 3, 0]))
    assert list(losses) == ['loss'] and torch.allclose(losses['loss'], want)


def test_sizes_are_given_once_and_reach_the_classifier():
    for kind in ('LinearClassifier', 'CosineClassifier'):
        head = build(classifier=dict(type=kind))
        assert head.classifier.weight.shape == (4, 6)
    assert build(classifier=dict(type='LinearClassifier', num_classes=4)).classifier.num_classes == 4
    own = nn.Linear(6, 4)
    assert build(classifier=own).classifier is own


@pytest.mark.parametrize('classifier', [
    dict(type='LinearClassifier', num_classes=5),
    dict(type='LinearClassifier', in_channels=7),
])
def test_a_classifier_of_other_sizes_is_refused(classifier):
    with pytest.raises(ConfigError, match=r'give (num_classes|in_channels) once, in the head'):
        build(classifier=classifier)


@pytest.mark.parametrize('key,value', [('num_classes', 0), ('in_channels', 1.5)])
def test_sizes_out_of_range(key, value):
    with pytest.raises(ConfigError, match=f'head.{key} must be'):
        build(**{key: value})


def test_the_scale_of_the_classifier_reaches_the_loss_unless_given():
    cosine = dict(type='CosineClassifier', scale=16)
    assert build(classifier=cosine, loss=ScaledLoss()).loss_module.scale == 16
    assert build(classifier=cosine, loss=ScaledLoss(5)).loss_module.scale == 5
    assert build(loss=ScaledLoss()).loss_module.scale == 1
    assert build(classifier=nn.Linear(6, 4), loss=ScaledLoss()).loss_module.scale == 30


@pytest.mark.parametrize('given,want', [(None, 16), (5, 5)])
def test_ldam_takes_its_scale_from_the_classifier(given, want):
    loss = dict(type='LDAMLoss', class_counts=[50, 20, 10, 5])
    loss.update({} if given is None else dict(scale=given))
    head = build(classifier=dict(type='CosineClassifier', scale=16), loss=loss)
    assert head.loss_module.scale == want


def test_soft_labels():
    head = build()
    feats = (torch.randn(2, 6), )
    data = [DataSample().set_gt_label(0), DataSample().set_gt_label(1)]
    target = torch.tensor([[0.7, 0.3, 0, 0], [0, 0.5, 0, 0.5]])
    for sample, score in zip(data, target):
        sample.gt_score = score
    want = -(target * head(feats).log_softmax(1)).sum(1).mean()
    assert torch.allclose(head.loss(feats, data)['loss'], want)


def test_regularizers_are_added_under_their_names():
    parts = [FeatureNorm(), FeatureNorm()]
    head = build(regularizers=parts)
    feats = (torch.randn(3, 6, requires_grad=True), )
    losses = head.loss(feats, samples([0, 1, 2]))
    assert list(losses) == ['loss', 'loss_feature_norm', 'loss_feature_norm_2']
    features, logits, target = parts[1].seen
    assert features is feats[0] and torch.equal(logits, head(feats)) and target.tolist() == [0, 1, 2]
    assert set(parts) <= set(head.modules())
    losses['loss_feature_norm'].backward()
    assert torch.allclose(feats[0].grad, 2 * feats[0].detach() / 18)


@pytest.mark.parametrize('needs', [True, False])
def test_a_loss_that_needs_the_features_gets_them(needs):
    class Loss(nn.Module):
        needs_features = needs

        def forward(self, cls_score, target, **kwargs):
            self.seen = kwargs
            return cls_score.sum()

    loss = Loss()
    feats = (torch.rand(5, 2), torch.randn(5, 6))
    build(loss=loss).loss(feats, samples([0, 1, 2, 3, 0]), weight=3)
    assert set(loss.seen) == ({'weight', 'features'} if needs else {'weight'})
    assert loss.seen.get('features', feats[-1]) is feats[-1]


def test_influence_balanced_loss_in_the_head():
    cfg = dict(type='InfluenceBalancedLoss', class_counts=[50, 20, 10, 5])
    head, feats, labels = build(loss=cfg), (torch.randn(5, 6), ), [0, 1, 2, 3, 0]
    want = LOSSES.build(cfg)(head(feats), torch.tensor(labels), features=feats[0])
    assert torch.equal(head.loss(feats, samples(labels))['loss'], want)
    theirs = MODELS.build(dict(type='mmpretrain.LinearClsHead', num_classes=4, in_channels=6, loss=LOSSES.build(cfg)))
    with pytest.raises(ConfigError, match='InfluenceBalancedLoss needs the features'):
        theirs.loss(feats, samples(labels))


def test_a_regulariser_is_no_loss():
    with pytest.raises(ConfigError, match=r"head.loss is Regularizer, .* head.regularizers=\[dict\(type='Regularizer"):
        build(loss=Regularizer())


def test_posthoc_rules_act_in_prediction_alone_and_in_order():
    head = build(posthoc=[Shift([0.0, 0, 9, 0]), Shift([0.0, 0, 0, 1])])
    feats = (torch.randn(3, 6), )
    logits = head(feats)
    assert torch.equal(logits, head.classifier(feats[0]))
    scores = torch.stack([s.pred_score for s in head.predict(feats)])
    want = ((logits * 2 + torch.tensor([0, 0, 9.0, 0])) * 2 + torch.tensor([0, 0, 0, 1.0])).softmax(1)
    assert torch.allclose(scores, want)


def test_predictions_are_written_to_the_samples():
    head = build()
    feats = (torch.randn(3, 6), )
    given = samples([0, 1, 2])
    out = head.predict(feats, given)
    assert all(a is b for a, b in zip(out, given)) and out[1].gt_label.tolist() == [1]
    for sample, logits in zip(out, head(feats)):
        assert torch.allclose(sample.pred_score, logits.softmax(0))
        assert sample.pred_label.tolist() == [int(logits.argmax())]
        assert not sample.pred_score.requires_grad
    assert len(head.predict(feats)) == 3


def test_training_accuracy():
    head = build(classifier=nn.Identity(), in_channels=4, cal_acc=True, topk=(1, 2))
    feats = (torch.tensor([[3.0, 2, 1, 0], [3, 2, 1, 0], [3, 2, 1, 0], [0, 1, 2, 3]]), )
    losses = head.loss(feats, samples([0, 1, 2, 3]))
    assert losses['accuracy_top1'].item() == 50 and losses['accuracy_top2'].item() == 75


def test_features_of_another_width_name_both_numbers():
    with pytest.raises(ConfigError, match=r'head\.in_channels is 6, but the features have 64 channels; set'):
        build()((torch.rand(2, 64), ))


def test_maps_ask_for_the_neck():
    with pytest.raises(ConfigError, match='GlobalAveragePooling'):
        build()((torch.rand(2, 6, 3, 3), ))


def test_label_out_of_range():
    with pytest.raises(DataError, match='label 4'):
        build().loss((torch.rand(2, 6), ), samples([0, 4]))


def test_class_counts_travel_in_the_checkpoint():
    loss = dict(type='BalancedSoftmaxLoss')
    trained, fresh = build(loss=loss), build(loss=loss)
    for part in distribution_aware_parts(trained).values():
        part.set_class_distribution([50, 20, 10, 5])
    fresh.load_state_dict(trained.state_dict())
    feats, data = (torch.randn(4, 6), ), samples([0, 1, 2, 3])
    assert torch.equal(fresh.loss(feats, data)['loss'], trained.loss(feats, data)['loss'])


def test_autocast_gives_a_finite_float32_loss():
    head = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = head.loss((torch.randn(4, 6), ), samples([0, 1, 2, 3]))['loss']
        predicted = head.predict((torch.randn(4, 6), ))
    assert loss.dtype == torch.float32 and torch.isfinite(loss)
    assert predicted[0].pred_score.dtype == torch.float32


def test_compiled_equals_eager():
    head = build(classifier=dict(type='CosineClassifier'))
    feats = (torch.randn(3, 6), )
    assert torch.allclose(torch.compile(head, backend='eager', fullgraph=True)(feats), head(feats))


def test_configs_are_left_as_they_were():
    cfg = dict(type='LongTailClsHead', num_classes=4, in_channels=6, classifier=dict(type='LinearClassifier'),
               loss=dict(type='SoftmaxLoss'))
    before = copy.deepcopy(cfg)
    HEADS.build(cfg)
    assert cfg == before


@pytest.mark.parametrize('loss', [
    dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1),
    dict(type='mmpretrain.CrossEntropyLoss', use_sigmoid=True),
])
def test_losses_of_mmpretrain_give_what_they_give_in_its_own_head(loss):
    head = build(loss=loss)
    theirs = MODELS.build(dict(type='mmpretrain.LinearClsHead', num_classes=4, in_channels=6, loss=loss))
    theirs.fc.load_state_dict(head.classifier.state_dict())
    feats, data = (torch.randn(3, 6), ), samples([0, 2, 1])
    if loss.get('use_sigmoid'):
        for sample in data:
            sample.gt_score = torch.eye(4)[sample.gt_label[0]]
    assert torch.allclose(head.loss(feats, data)['loss'], theirs.loss(feats, data)['loss'])


def test_our_losses_work_in_the_head_of_mmpretrain():
    loss = dict(type='BalancedSoftmaxLoss', class_counts=[50, 20, 10, 5])
    theirs = MODELS.build(dict(type='mmpretrain.LinearClsHead', num_classes=4, in_channels=6,
                               loss=LOSSES.build(loss)))
    feats, data = (torch.randn(3, 6), ), samples([0, 2, 1])
    ours = build(loss=loss)
    ours.classifier.load_state_dict(theirs.fc.state_dict())
    assert torch.allclose(theirs.loss(feats, data)['loss'], ours.loss(feats, data)['loss'])


class Sized(Regularizer):
    """A regulariser that asks for the sizes of the head."""

    def __init__(self, num_classes=None, in_channels=None):
        super().__init__()
        self.num_classes, self.in_channels = num_classes, in_channels

    def penalty(self, features, logits, target):
        return features.sum() * 0


def test_a_regulariser_gets_the_sizes_that_it_asks_for():
    head = build(regularizers=[dict(type=Sized), dict(type='RangeLoss'), dict(type='NeuralCollapseRegularizer')])
    sized, _, collapse = head.regularizers.values()
    assert (sized.num_classes, sized.in_channels) == (head.num_classes, head.in_channels)
    assert collapse.centres.shape == (head.num_classes, head.in_channels)
    for wrong in (dict(type='NeuralCollapseRegularizer', num_classes=99), Sized(99)):
        with pytest.raises(ConfigError, match=r'head.num_classes is \d, but the regulariser \w+ has 99; give '
                                              'num_classes once, in the head'):
            build(regularizers=wrong)
    with pytest.raises(KeyError, match='NoSuchRegularizer'):
        build(regularizers=dict(type='NoSuchRegularizer'))


def test_the_rows_of_the_classifier():
    head = build()
    assert torch.equal(head.class_vectors(), head.classifier.weight) and not head.class_vectors().requires_grad

    class Scaled(nn.Linear):
        class_vectors = property(lambda self: 2 * self.weight)

    classifier = Scaled(head.in_channels, head.num_classes)
    assert torch.equal(build(classifier=classifier).class_vectors(), 2 * classifier.weight)
    assert build(classifier=nn.Sequential(nn.Linear(head.in_channels, head.num_classes))).class_vectors() is None
