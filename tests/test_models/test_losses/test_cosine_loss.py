"""Tests of ltkit.models.losses.cosine_loss."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ltkit.models.losses import CosineLoss
from ltkit.registry import HEADS
from ltkit.utils.errors import ConfigError


def in_head(classifier, loss):
    return HEADS.build(dict(type='LongTailClsHead', num_classes=4, in_channels=6, classifier=classifier, loss=loss))


@pytest.mark.parametrize(('own', 'classifier', 'scale', 'factor'), [
    (None, None, 30, 1), (20, None, 20, 1), (None, 16, 16, 1), (20, 16, 20, 20 / 16), (16, 16, 16, 1), (20, 1, 20, 20)])
def test_scales(own, classifier, scale, factor):
    loss = CosineLoss(own)
    if classifier is not None:
        loss.set_scale(classifier)
    logits = torch.randn(3, 4)
    assert loss.scale == scale
    assert torch.equal(loss.rescaled(logits), factor * logits)
    assert f'scale={scale}' in repr(loss)


@pytest.mark.parametrize('own', [None, 20])
@pytest.mark.parametrize('built', [False, True])
@pytest.mark.parametrize('name', ['GaussianCloudedLogitLoss', 'KPSLoss'])
def test_the_head_tells_the_scale_of_the_classifier(own, built, name):
    """Also to a loss with a scale of its own, from a config and as a module."""
    loss = dict(type=name) if own is None else dict(type=name, scale=own)
    if built:
        loss = in_head(None, loss).loss_module
    head = in_head(dict(type='CosineClassifier', scale=16), loss)
    assert head.loss_module.scale == (own or 16)
    assert head.loss_module.logit_scale == 16


def test_a_classifier_without_scale():
    loss = in_head(nn.Linear(6, 4), dict(type='GaussianCloudedLogitLoss')).loss_module
    assert (loss.scale, loss.logit_scale) == (30, None)


@pytest.mark.parametrize('wrong', [0, -1])
def test_wrong_scale(wrong):
    with pytest.raises(ConfigError, match=f'scale of a margin loss must be above 0, but is {wrong}'):
        CosineLoss(wrong)
    with pytest.raises(ConfigError, match=f'scale of a margin loss must be above 0, but is {wrong}'):
        CosineLoss().set_scale(wrong)
