"""Tests of ltkit.models.recognizers.image."""

from __future__ import annotations

import random

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from ltkit.distribution_aware import distribution_aware_parts
from ltkit.models.recognizers import image as module
from ltkit.models.recognizers.image import ImageRecognizer
from ltkit.registry import MODELS
from ltkit.structures import DataSample
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError

COUNTS = [20, 9, 5, 2]


def build(**changes):
    cfg = dict(
        type='ImageRecognizer',
        data_preprocessor=dict(type='ImageDataPreprocessor', mean=[100.0], std=[50.0]),
        backbone=dict(type='ResNet8', in_channels=1),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LongTailClsHead', num_classes=4, in_channels=64, loss=dict(type='SoftmaxLoss')))
    cfg.update(changes)
    return MODELS.build(cfg)


def batch(n=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 1, 8, 8), dtype=torch.uint8, generator=generator)
    return dict(inputs=list(images), data_samples=[DataSample().set_gt_label(i % 4) for i in range(n)])


def swap(inputs, scores):
    return (inputs + inputs.roll(1, 0)) / 2, (scores + scores.roll(1, 0)) / 2


class Term(nn.Module):
    """A regulariser of value 2."""

    def forward(self, features, logits, target):
        return features.sum() * 0 + 2.0


def test_the_three_modes():
    model = build().eval()
    data = model.data_preprocessor(batch(), False)
    logits = model(**data)
    assert logits.shape == (6, 4)
    assert torch.equal(logits, model.head(model.neck(model.backbone(data['inputs']))))
    losses = model(**data, mode='loss')
    want = nn.functional.cross_entropy(logits, torch.arange(6) % 4)
    assert list(losses) == ['loss'] and torch.allclose(losses['loss'], want)
    predictions = model(**data, mode='predict')
    assert torch.allclose(torch.stack([s.pred_score for s in predictions]), logits.softmax(1))
    with pytest.raises(ConfigError, match=r"mode must be .* but is 'losses'"):
        model(**data, mode='losses')


def test_the_stages_of_the_features():
    model = build().eval()
    x = torch.rand(2, 1, 8, 8)
    (maps, ), (features, ) = model.extract_feat(x, 'backbone'), model.extract_feat(x)
    assert maps.shape == (2, 64, 2, 2) and torch.equal(features, maps.mean((2, 3)))
    assert torch.equal(model.extract_feat(x, 'pre_logits'), features)
    with pytest.raises(ConfigError, match=r"stage must be one of .* but is 'head'"):
        model.extract_feat(x, 'head')


def test_predictions_have_features_where_they_are_wanted():
    model = build().eval()
    data = model.data_preprocessor(batch(), False)
    assert all('features' not in sample for sample in model.predict(**data))
    model.predicts_features = True
    predictions = model.predict(**data)
    want = model.extract_feat(data['inputs'], 'pre_logits')
    assert torch.equal(torch.stack([sample.features for sample in predictions]), want)
    assert not predictions[0].features.requires_grad and predictions[0].features.device.type == 'cpu'


def test_without_neck_and_head_it_extracts_features():
    model = ImageRecognizer(dict(type='ResNet8', in_channels=1))
    assert not model.with_neck and not model.with_head
    assert model(torch.rand(2, 1, 8, 8))[0].shape == (2, 64, 2, 2)
    with pytest.raises(ConfigError, match="no head for 'loss'"):
        model(torch.rand(2, 1, 8, 8), [], mode='loss')


@pytest.mark.parametrize('loss', ['SoftmaxLoss', 'BalancedSoftmaxLoss', 'LDAMLoss'])
def test_training_lowers_the_loss(loss):
    torch.manual_seed(0)
    model = build(head=dict(
        type='LongTailClsHead', num_classes=4, in_channels=64, loss=dict(type=loss),
        classifier=dict(type='CosineClassifier' if loss == 'LDAMLoss' else 'LinearClassifier')))
    for part in distribution_aware_parts(model).values():
        part.set_class_distribution(COUNTS)
    optim = OptimWrapper(torch.optim.SGD(model.parameters(), 0.05, momentum=0.9))
    values = [model.train_step(batch(), optim)['loss'].item() for _ in range(8)]
    assert values[-1] < 0.5 * values[0]


def test_bf16_autocast_trains():
    model = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(**model.data_preprocessor(batch(), True), mode='loss')
    loss, _ = model.parse_losses(losses)
    loss.backward()
    assert loss.dtype == torch.float32 and torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    assert model.backbone.conv1.weight.grad.abs().sum() > 0


def test_float64_throughout():
    model = build().double()
    data = model.data_preprocessor(batch(), True)
    assert data['inputs'].dtype == torch.float64
    assert model(**data, mode='loss')['loss'].dtype == torch.float64


def test_batch_augments_are_handed_to_the_preprocessor():
    random.seed(0)
    model = build(train_cfg=dict(augments=[swap], probs=[1.0]))
    assert model.data_preprocessor.num_classes == 4
    data = model.data_preprocessor(batch(), True)
    scores = torch.stack([s.gt_score for s in data['data_samples']])
    eye = torch.eye(4)[torch.arange(6) % 4]
    assert torch.equal(scores, (eye + eye.roll(1, 0)) / 2)
    want = -(scores * model(**model.data_preprocessor(batch(), False)).log_softmax(1)).sum(1).mean()
    assert torch.isfinite(model(**data, mode='loss')['loss']) and torch.isfinite(want)


def test_a_backbone_of_several_experts_needs_a_head_of_several():
    with pytest.raises(ConfigError, match='RIDEResNet8 has 3 experts, but LongTailClsHead sees one'):
        build(backbone=dict(type='RIDEResNet8', in_channels=1))


def test_train_cfg_of_another_key():
    with pytest.raises(ConfigError, match="no key 'augment'"):
        build(train_cfg=dict(augment=[swap]))


def test_a_built_preprocessor_takes_no_train_cfg():
    pre = MODELS.build(dict(type='ImageDataPreprocessor'))
    assert build(data_preprocessor=pre).data_preprocessor is pre
    with pytest.raises(ConfigError, match='to be a config'):
        build(data_preprocessor=pre, train_cfg=dict(augments=[swap]))


def test_channels_last_reaches_the_weights():
    model = build(data_preprocessor=dict(type='ImageDataPreprocessor', channels_last=True))
    plain = build()
    plain.load_state_dict(model.state_dict())
    weight = model.backbone.layer2[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
    x = torch.rand(2, 1, 8, 8)
    assert torch.allclose(model.eval()(x), plain.eval()(x), atol=1e-5)


def test_parse_losses_logs_the_sum_and_the_parts():
    model = build(head=dict(
        type='LongTailClsHead', num_classes=4, in_channels=64, regularizers=Term(), cal_acc=True))
    losses = model(**model.data_preprocessor(batch(), True), mode='loss')
    total, logged = model.parse_losses(losses)
    assert list(logged) == ['loss', 'loss_cls', 'loss_term', 'accuracy_top1']
    assert torch.allclose(total, losses['loss'] + 2) and total.requires_grad
    assert torch.equal(logged['loss'], total) and torch.equal(logged['loss_cls'], losses['loss'])
    assert logged['loss_term'].item() == 2
    assert not any(value.requires_grad for value in logged.values())


def test_parse_losses_of_a_single_part_and_of_lists():
    model = build()
    a, b = torch.tensor([1.0, 3.0]), torch.tensor(4.0)
    assert {k: v.item() for k, v in model.parse_losses(dict(loss=a))[1].items()} == dict(loss=2)
    total, logged = model.parse_losses(dict(loss_a=a, loss_b=[a, b], other=b))
    assert total.item() == 8 and logged['loss_b'].item() == 6 and logged['other'].item() == 4
    with pytest.raises(ConfigError, match=r"loss term 'loss_x' must be a tensor .* float"):
        model.parse_losses(dict(loss_x=1.0))


def test_logged_values_are_averaged_by_one_all_reduce(monkeypatch):
    calls = []

    def all_reduce(values, op):
        calls.append((values.tolist(), op))
        values.add_(10)

    monkeypatch.setattr(module, 'get_world_size', lambda: 2)
    monkeypatch.setattr(module, 'all_reduce', all_reduce)
    total, logged = build().parse_losses(dict(loss=torch.tensor(1.0), loss_b=torch.tensor(2.0)))
    assert calls == [([3, 1, 2], 'mean')] and total.item() == 3
    assert {k: v.item() for k, v in logged.items()} == dict(loss=13, loss_cls=11, loss_b=12)


def test_state_dict_round_trip_with_class_counts():
    head = dict(type='LongTailClsHead', num_classes=4, in_channels=64, loss=dict(type='BalancedSoftmaxLoss'))
    trained, fresh = build(head=head), build(head=head)
    for part in distribution_aware_parts(trained).values():
        part.set_class_distribution(COUNTS)
    fresh.load_state_dict(trained.state_dict())
    data = trained.data_preprocessor(batch(), False)
    assert torch.equal(fresh(**data, mode='loss')['loss'], trained(**data, mode='loss')['loss'])


def test_compiled_forward_equals_eager():
    model = build().eval()
    x = torch.rand(2, 1, 8, 8)
    want = model(x)
    model.forward = torch.compile(model.forward, backend='eager', fullgraph=True)
    assert torch.allclose(model(x), want)
    data = model.data_preprocessor(batch(), True)
    model.forward = torch.compile(ImageRecognizer.forward.__get__(model), backend='eager')
    assert torch.isfinite(model(**data, mode='loss')['loss'])


def test_a_head_of_mmpretrain_trains_and_predicts():
    model = build(head=dict(type='mmpretrain.LinearClsHead', num_classes=4, in_channels=64,
                            loss=dict(type='mmpretrain.CrossEntropyLoss')))
    values = model.train_step(batch(), OptimWrapper(torch.optim.SGD(model.parameters(), 0.01)))
    assert torch.isfinite(values['loss'])
    assert model.eval().val_step(batch())[0].pred_score.shape == (4, )


def test_the_labels_of_a_batch_move_to_the_device_of_the_images():
    pre = build().data_preprocessor.to('meta')
    data = pre(batch(), True)
    assert data['inputs'].device.type == 'meta'
    assert {s.gt_label.device.type for s in data['data_samples']} == {'meta'}
    assert {s.gt_label.device.type for s in pre(batch(), False)['data_samples']} == {'cpu'}


def test_pinned_images_are_copied_one_by_one_into_one_batch(monkeypatch):
    pre, data, copied = build().data_preprocessor.to('meta'), batch(), []

    def copy_(self, other, non_blocking):
        copied.append((other, non_blocking))

    monkeypatch.setattr(torch.Tensor, 'is_pinned', lambda self: True)
    monkeypatch.setattr(torch.Tensor, 'copy_', copy_)
    out = pre(data)['inputs']
    assert out.device.type == 'meta' and out.shape == (6, 1, 8, 8) and out.dtype == torch.float32
    assert [id(image) for image, _ in copied] == [id(image) for image in data['inputs']]
    assert all(non_blocking for _, non_blocking in copied)


def logged_means(rank: int, world_size: int) -> dict[str, float]:
    model = ImageRecognizer(dict(type='ResNet8'))
    _, logged = model.parse_losses(dict(loss=torch.tensor(1.0 + rank), loss_b=torch.tensor(4.0 * rank)))
    return {name: value.item() for name, value in logged.items()}


def test_two_processes_log_the_same_means():
    assert run_distributed(logged_means, 2) == [dict(loss=3.5, loss_cls=1.5, loss_b=2.0)] * 2


def test_channels_last_changes_the_layout_alone():
    models = [build(data_preprocessor=dict(type='ImageDataPreprocessor', mean=[100.0], std=[50.0], channels_last=last))
              for last in (False, True)]
    models[1].load_state_dict(models[0].state_dict())
    losses = []
    for model in models:
        data = model.data_preprocessor(batch(), training=True)
        losses.append(model.loss(**data)['loss'])
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)
    wide = [parameter for parameter in models[1].parameters() if parameter.dim() == 4 and parameter.shape[1] > 1]
    assert wide and all(parameter.is_contiguous(memory_format=torch.channels_last) for parameter in wide)
    assert not any(parameter.is_contiguous(memory_format=torch.channels_last) and parameter.shape[-1] > 1
                   for parameter in models[0].parameters() if parameter.dim() == 4 and parameter.shape[1] > 1)
