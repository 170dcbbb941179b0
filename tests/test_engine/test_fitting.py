"""Tests of ltkit.engine.fitting; that it fits is tested with FitLoop and FitHook, which run it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from ltkit.engine.fitting import Fitting, classifiers_of
from ltkit.models.classifiers import NCMClassifier, OLTRClassifier
from ltkit.registry import HEADS
from ltkit.utils.errors import ConfigError


class Model(nn.Module):
    """A head on features as they come."""

    def __init__(self, **head) -> None:
        super().__init__()
        self.head = HEADS.build(dict(num_classes=3, in_channels=2, **head))

    def data_preprocessor(self, batch, training):
        assert not training and not torch.is_grad_enabled()
        return dict(inputs=batch[:, :2], data_samples=batch[:, 2])

    def extract_feat(self, inputs):
        return inputs,


def fitting(classifier, interval=2, **loader):
    model = Model(type='LongTailClsHead', classifier=dict(type=classifier))
    model.head.pre_logits = lambda features: features[0]
    model.head.gather_targets = lambda labels, features: labels.long()
    lines = []
    logger = SimpleNamespace(info=lines.append, warning=lines.append)
    runner = SimpleNamespace(model=model, logger=logger, _has_loaded=True, stop_signals=SimpleNamespace(received=None))
    data = torch.tensor([[1.0, 2, 0], [3, 4, 0], [5, 6, 1], [7, 8, 1], [9, 9, 1]])
    made = Fitting(runner, DataLoader(data, **{'batch_size': 2, **loader}), {0: model.head.classifier}, interval, 'Me')
    return made, model, lines


@pytest.mark.parametrize('classifier, passes', [('OLTRClassifier', 1), ('NCMClassifier', 2)])
def test_all_passes_and_their_log(classifier, passes):
    made, model, lines = fitting(classifier)
    made.run()
    assert made.passes == passes and made.batches == 3 * passes and not model.training
    assert [line.split(' images')[0] for line in lines[:2]] == [
        f'fit, pass 1 of {passes}: 4 of 5', f'fit, pass 1 of {passes}: 5 of 5']
    assert len(lines) == 2 * passes + 1 and lines[-1].startswith(f'{classifier} fitted to 5 images in ')


def test_means():
    made, model, _ = fitting('OLTRClassifier')
    made.run()
    assert torch.allclose(model.head.classifier.centroids[:2], torch.tensor([[2, 3], [7, 23 / 3]]))
    assert model.head.classifier.fitted


def test_each_image_once():
    for loader in (dict(drop_last=True), dict(shuffle=True)):
        made, _, _ = fitting('OLTRClassifier', **loader)
        with pytest.raises(ConfigError, match=r'Me counts each of the 5 training images once, but (Random|Sequential)'):
            made.run()


def test_classifiers_of():
    one = Model(type='LongTailClsHead', classifier=dict(type='NCMClassifier'))
    assert classifiers_of(one) == {'model.head.classifier': one.head.classifier}
    assert isinstance(one.head.classifier, NCMClassifier)
    two = Model(type='MultiExpertHead', num_experts=2, classifier=dict(type='OLTRClassifier'))
    assert classifiers_of(two) == {f'model.head.classifiers.{i}': two.head.classifiers[i] for i in range(2)}
    assert all(isinstance(part, OLTRClassifier) for part in classifiers_of(two).values())
    assert classifiers_of(nn.Linear(1, 1)) == {'model.head.classifier': None}
