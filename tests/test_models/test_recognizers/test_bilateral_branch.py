"""Tests of ltkit.models.recognizers.bilateral_branch."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import OptimWrapper

from ltkit.models.recognizers import BilateralBranchRecognizer
from ltkit.registry import MODELS
from ltkit.structures import BatchedSamples, DataSample
from ltkit.utils.errors import ConfigError


def build(backbone=None, head=None, **changes):
    cfg = dict(
        type='BilateralBranchRecognizer',
        data_preprocessor=dict(type='ImageDataPreprocessor', mean=[100.0], std=[50.0]),
        backbone=dict(type='BBNResNet8', in_channels=1) if backbone is None else backbone,
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='BilateralBranchHead', num_classes=4, in_channels=128) if head is None else head)
    return MODELS.build({**cfg, **changes})


def batch(n=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 1, 8, 8), dtype=torch.uint8, generator=generator)
    return dict(inputs=list(images), data_samples=[DataSample().set_gt_label(i % 4) for i in range(n)])


def test_each_image_of_a_pair_has_its_branch():
    model = build().double().eval()
    model.head.set_epoch(6, 10)
    alpha = 1 - 0.6**2
    data = model.data_preprocessor(batch(), True)
    net = model.backbone
    one = net.conventional_block(net.forward_shared(data['inputs'][0::2])).mean((2, 3))
    two = net.rebalancing_block(net.forward_shared(data['inputs'][1::2])).mean((2, 3))
    logits = model.head.classifier(2 * torch.cat([alpha * one, (1 - alpha) * two], 1))
    target = torch.arange(8) % 4
    entropy = torch.nn.functional.cross_entropy
    want = alpha * entropy(logits, target[0::2]) + (1 - alpha) * entropy(logits, target[1::2])
    losses = model(**data, mode='loss')
    assert list(losses) == ['loss'] and losses['loss'].item() == pytest.approx(want.item(), abs=1e-10)
    batched = BatchedSamples(target)
    assert torch.equal(model.loss(data['inputs'], batched)['loss'], losses['loss'])
    assert batched._samples is None  # no object a sample was made


def test_prediction_sends_each_image_through_both_branches():
    model = build().eval()
    model.head.set_epoch(6, 10)
    data = model.data_preprocessor(batch(5), False)
    maps = model.extract_feat(data['inputs'], 'backbone')
    features = torch.cat([out.mean((2, 3)) for out in maps], 1)
    assert torch.equal(model.extract_feat(data['inputs'], 'pre_logits'), features) and features.shape == (5, 128)
    logits = model(**data)
    assert torch.allclose(logits, model.head.classifier(features)) and logits.shape == (5, 4)
    scores = torch.stack([sample.pred_score for sample in model(**data, mode='predict')])
    assert torch.allclose(scores, logits.softmax(1))


def test_training_lowers_the_loss_and_reaches_all_weights():
    torch.manual_seed(0)
    model = build()
    model.head.set_epoch(5, 10)
    optim = OptimWrapper(torch.optim.SGD(model.parameters(), 0.05, momentum=0.9))
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    values = [model.train_step(batch(), optim)['loss'].item() for _ in range(8)]
    assert values[-1] < values[0]
    assert all(not torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


def test_bf16_autocast_trains():
    model = build()
    model.head.set_epoch(5, 10)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(**model.data_preprocessor(batch(), True), mode='loss')
    loss, _ = model.parse_losses(losses)
    loss.backward()
    assert loss.dtype == torch.float32 and torch.isfinite(loss)
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


def test_compiled_loss_equals_eager():
    model = build().eval()
    data = model.data_preprocessor(batch(), True)
    samples = BatchedSamples(torch.arange(8) % 4)
    want = {}
    for epoch in (0, 7):
        model.head.set_epoch(epoch, 10)
        want[epoch] = model.loss(data['inputs'], samples)['loss']
    compiled = torch.compile(BilateralBranchRecognizer.loss.__get__(model), backend='eager')
    for epoch in (0, 7):
        model.head.set_epoch(epoch, 10)
        assert torch.allclose(compiled(data['inputs'], samples)['loss'], want[epoch])


def test_without_head_it_extracts_the_features_of_both_branches():
    model = MODELS.build(dict(type='BilateralBranchRecognizer', backbone=dict(type='BBNResNet8', in_channels=1)))
    assert [tuple(out.shape) for out in model(torch.rand(3, 1, 8, 8))] == [(3, 64, 2, 2)] * 2
    with pytest.raises(ConfigError, match="no head for 'loss'"):
        model(torch.rand(2, 1, 8, 8), [], mode='loss')


@pytest.mark.parametrize('changes, message', [
    (dict(backbone=dict(type='ResNet8', in_channels=1)), 'needs a backbone of two branches, but ResNet8 has one'),
    (dict(head=dict(type='LongTailClsHead', num_classes=4, in_channels=128)),
     'needs a head of two branches, but LongTailClsHead has one; use BilateralBranchHead'),
    (dict(train_cfg=dict(augments=[dict(type='Mixup')])), r'no batch augments, .* leave out model\.train_cfg'),
    (dict(type='ImageRecognizer'), 'BBNResNet8 has two branches, which ImageRecognizer does not train; use Bilateral'),
    (dict(type='MultiExpertRecognizer'), 'BBNResNet8 has two branches, which MultiExpertRecognizer does not train'),
])
def test_parts_that_do_not_fit(changes, message):
    with pytest.raises(ConfigError, match=message):
        build(**changes)


@pytest.mark.parametrize('number', [1, 7])
def test_an_odd_number_of_images(number):
    model = build()
    with pytest.raises(ConfigError, match=f"pairs of images, but gets {number} images; use .*'PairedSampler'"):
        model(**model.data_preprocessor(batch(number), True), mode='loss')
