"""Tests of ltkit.engine.hooks.features_for_metrics_hook."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from ltkit.engine.hooks.features_for_metrics_hook import give_features
from ltkit.evaluation import LongTailAccuracy, NeuralCollapse
from ltkit.evaluation.functional import neural_collapse

CONFIG = '''
val_evaluator = [dict(type='LongTailAccuracy'), dict(type='NeuralCollapse')]
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=1, val_interval=1)
'''


def test_only_where_a_metric_asks():
    rows = torch.eye(3)
    model = SimpleNamespace(predicts_features=False, head=SimpleNamespace(class_vectors=lambda: rows))
    metric = NeuralCollapse()
    give_features(model, [LongTailAccuracy(), metric])
    assert model.predicts_features and metric.weight is rows
    give_features(model, [LongTailAccuracy()])
    assert not model.predicts_features
    other = SimpleNamespace()
    give_features(other, [metric])  # a model that does not know of it
    assert vars(other) == {} and metric.weight is None


@pytest.mark.parametrize('base', ['erm/r8_digits_lt.py', 'ride/r8_digits_lt.py'])
def test_the_metric_in_training_and_test(small_run, base):
    """The numbers are those of features and logits that are computed by hand."""
    runner = small_run.runner(small_run.config(CONFIG, base=f'ltkit::{base}'))
    runner.train()
    model = runner.model
    assert not model.predicts_features
    tested = runner.test()
    features, logits, labels = [], [], []
    with torch.no_grad():
        for batch in runner.test_dataloader:
            data = model.data_preprocessor(batch)
            feats = model.head.pre_logits(model.extract_feat(data['inputs']))
            several = not isinstance(feats, torch.Tensor)
            features.append(torch.cat(feats, 1) if several else feats)
            scores = model(data['inputs'])
            logits.append(scores.mean(0) if several else scores)
            labels += [int(sample.gt_label) for sample in data['data_samples']]
            assert 'features' not in model.predict(data['inputs'])[0]
    classifiers = model.head.classifiers if several else [model.head.classifier]
    weights = [classifier.weight.detach() for classifier in classifiers]
    want = neural_collapse(torch.cat(features), labels, torch.cat(logits).argmax(1), torch.cat(weights, 1))
    for key, value in want.items():
        assert tested[f'neural_collapse/{key}'] == pytest.approx(value, rel=1e-5, abs=1e-7), key
    assert len(want) == 9
