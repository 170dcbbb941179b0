"""Tests of deferred re-weighting by hook."""

from __future__ import annotations

import pytest
import torch

from ltkit.engine.hooks import DeferredReweighting
from ltkit.utils.errors import ConfigError

EPOCHS = 'train_cfg = dict(max_epochs=3, val_interval=3)\n'


def test_is_the_same_as_drw_of_the_loss(small_run):
    by_hook = small_run.runner(
        EPOCHS + "custom_hooks = [dict(type='DeferredReweighting', begin=1, beta=0.99)]", work_dir='hook')
    by_loss = small_run.runner(
        EPOCHS + 'model = dict(head=dict(loss=dict(drw=dict(begin=1, beta=0.99))))', work_dir='loss')
    never = small_run.runner(EPOCHS, work_dir='never')
    weights = []
    for runner in (by_hook, by_loss, never):
        runner.train()
        weights.append(runner.model.head.classifier.weight if hasattr(runner.model.head.classifier, 'weight')
                       else next(runner.model.head.classifier.parameters()))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert by_hook.model.head.loss_module.drw_active


@pytest.mark.parametrize('arguments', [dict(begin=-1), dict(begin=1.5), dict(begin=1, beta=1.0)])
def test_wrong_arguments(small_run, arguments):
    runner = small_run.runner(EPOCHS)
    runner.register_hook(DeferredReweighting(**arguments))
    with pytest.raises(ConfigError, match='drw'):
        runner.train()


def test_model_without_a_loss_of_ltkit(small_run):
    runner = small_run.runner(EPOCHS)
    runner.model.head.loss_module = torch.nn.CrossEntropyLoss()
    runner.register_hook(DeferredReweighting(begin=1))
    with pytest.raises(ConfigError, match='no loss of ltkit'):
        runner.train()
