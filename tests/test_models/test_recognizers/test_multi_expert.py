"""Tests of ltkit.models.recognizers.multi_expert."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import OptimWrapper

from ltkit.distribution_aware import distribution_aware_parts
from ltkit.registry import MODELS
from ltkit.structures import DataSample
from ltkit.utils.errors import ConfigError


def build(backbone=None, **head):
    head = {**dict(type='MultiExpertHead', num_experts=3, num_classes=4, in_channels=48,
                   classifier=dict(type='CosineClassifier'), loss=dict(type='RIDELoss')), **head}
    return MODELS.build(dict(
        type='MultiExpertRecognizer',
        data_preprocessor=dict(type='ImageDataPreprocessor', mean=[100.0], std=[50.0]),
        backbone=dict(type='RIDEResNet8', in_channels=1) if backbone is None else backbone,
        neck=dict(type='GlobalAveragePooling'),
        head=head))


def batch(n=8):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n, 1, 8, 8), dtype=torch.uint8, generator=generator)
    return dict(inputs=list(images), data_samples=[DataSample().set_gt_label(i % 4) for i in range(n)])


def test_tensor_mode_gives_the_logits_of_each_expert():
    model = build(loss=dict(type='SoftmaxLoss')).eval()
    data = model.data_preprocessor(batch(), False)
    logits = model(**data)
    assert logits.shape == (3, 8, 4) and model.num_experts == 3
    predictions = model(**data, mode='predict')
    want = (sum(logits) / 3).softmax(1)
    assert torch.allclose(torch.stack([s.pred_score for s in predictions]), want, atol=1e-6)


def test_training_with_ride_reaches_all_experts_and_lowers_the_loss():
    torch.manual_seed(0)
    model = build()
    for part in distribution_aware_parts(model).values():
        part.set_class_distribution([20, 9, 5, 2])
    optim = OptimWrapper(torch.optim.SGD(model.parameters(), 0.02, momentum=0.9))
    before = {name: p.clone() for name, p in model.named_parameters()}
    values = [model.train_step(batch(), optim)['loss'].item() for _ in range(8)]
    assert values[-1] < values[0]
    assert all(not torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_different_numbers_of_experts_are_refused():
    with pytest.raises(ConfigError, match='num_experts is 3 in the backbone, but 2 in the head'):
        build(num_experts=2, loss=dict(type='SoftmaxLoss'))


def test_parts_of_one_expert_are_refused():
    with pytest.raises(ConfigError, match='backbone of several experts, but ResNet8 has no num_experts'):
        build(backbone=dict(type='ResNet8', in_channels=1), loss=dict(type='SoftmaxLoss'))
