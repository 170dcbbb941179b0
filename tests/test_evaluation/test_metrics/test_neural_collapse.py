"""Tests of ltkit.evaluation.metrics.neural_collapse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.evaluation import NeuralCollapse
from ltkit.evaluation.functional import neural_collapse, simplex_angle
from ltkit.evaluation.metrics import feature_file
from ltkit.evaluation.metrics.growing_records import GrowingRecords
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError, DataError

SIZE, CLASSES, CHANNELS = 61, 5, 8


def arrays():
    """Features, labels (class 3 has none), scores and a classifier."""
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 2, 4], SIZE)
    features = (rng.normal(size=(CLASSES, CHANNELS))[labels] + rng.normal(size=(SIZE, CHANNELS))).astype(np.float32)
    return features, labels, rng.dirichlet(np.ones(CLASSES), SIZE), rng.normal(size=(CLASSES, CHANNELS))


def samples_of(indices):
    features, labels, scores, _ = arrays()
    return [dict(features=torch.from_numpy(features[i]), pred_score=torch.from_numpy(scores[i]),
                 gt_label=torch.tensor([labels[i]]), sample_idx=i) for i in indices]


def evaluated(metric, indices=range(SIZE), batch=9):
    metric.set_classifier(torch.from_numpy(arrays()[3]))
    samples = samples_of(indices)
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(SIZE)


def wanted(**options):
    features, labels, scores, weight = arrays()
    found = neural_collapse(features, labels, scores.argmax(1), weight, **options)
    return {f'neural_collapse/{key}': pytest.approx(value, rel=1e-10) for key, value in found.items()}


def test_it_is_that_of_the_whole(monkeypatch):
    metric = NeuralCollapse()
    assert evaluated(metric) == wanted()
    assert metric.details == dict(classes=4, samples=SIZE, simplex_angle=simplex_angle(4))
    assert evaluated(NeuralCollapse(divide_by_classes=False)) == wanted(divide_by_classes=False)
    monkeypatch.setattr(feature_file, 'CHUNK_BYTES', 10 * CHANNELS * 4)
    assert evaluated(metric, batch=1) == wanted()


def test_without_rows_of_the_classifier():
    keys = {f'neural_collapse/{key}' for key in ('nc2_norm_weights', 'nc2_angle_weights', 'nc3')}
    for weight in (None, torch.zeros(CLASSES, CHANNELS + 1)):
        metric = NeuralCollapse()
        metric.process(None, samples_of(range(SIZE)))
        metric.set_classifier(weight)
        assert metric.evaluate(SIZE) == {key: value for key, value in wanted().items() if key not in keys}


def share_of(rank, world_size, extra):
    return evaluated(NeuralCollapse(), [*range(SIZE), *range(extra)][rank::world_size], batch=7)


@pytest.mark.parametrize('extra', [1, 9], ids=['a padded sample', 'many of them, in several batches'])
def test_two_processes_count_each_sample_once(extra):
    for result in run_distributed(share_of, 2, extra):
        assert result == wanted()


def test_features_are_not_held(tmp_path):
    """1,000 classes and 2,048 channels: between batches only labels and predictions are kept in memory.

    They are in as many arrays after many batches as after one: small ones would lie on the heap
    between the features of the batches, which then could not be given back.
    """
    metric = NeuralCollapse(folder=tmp_path)
    draw = torch.Generator().manual_seed(0)
    scores = torch.eye(1000)
    numbers = set()
    for step in range(20):
        metric.process(None, [
            dict(features=torch.randn(2048, generator=draw), pred_score=scores[i], gt_label=torch.tensor([i]),
                 sample_idx=8 * step + i) for i in range(8)])
        held = _arrays([value for name, value in vars(metric).items() if name != 'weight'])
        numbers.add(len(held))
        assert sum(array.nbytes for array in held) < 100 * max(1024, 8 * (step + 1))  # features: 8,192 bytes a sample
    assert numbers == {len(held)} and metric._file.num_rows == 160
    metric._clear()


def _arrays(value):
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return [value]
    if isinstance(value, GrowingRecords):
        return _arrays(vars(value))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [array for each in inner for array in _arrays(each)]


def test_features_of_half_precision():
    metric = NeuralCollapse()
    for sample in samples_of(range(SIZE)):
        metric.process(None, [dict(sample, features=sample['features'].bfloat16())])
    features, labels, scores, _ = arrays()
    found = neural_collapse(torch.from_numpy(features).bfloat16().float(), labels, scores.argmax(1))
    assert metric.evaluate(SIZE)['neural_collapse/nc1'] == pytest.approx(found['nc1'], rel=1e-10)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"folder of NeuralCollapse must be a folder that is there, but is '.*/no'"):
        NeuralCollapse(folder=tmp_path / 'no')


def test_what_is_missing_is_said():
    bare = [{key: value for key, value in samples_of([0])[0].items() if key != 'features'}]
    with pytest.raises(DataError, match=r'reads the features of each sample, .* keep FeaturesForMetricsHook'):
        NeuralCollapse().process(None, bare)
    metric = NeuralCollapse()
    metric.process(None, samples_of([0]))
    with pytest.raises(DataError, match='features of the samples are of different lengths'):
        metric.process(None, [dict(samples_of([1])[0], features=torch.zeros(3))])
    metric = NeuralCollapse()
    same = [sample for sample in samples_of(range(SIZE)) if int(sample['gt_label']) == 1]
    metric.process(None, same)
    with pytest.raises(DataError, match='needs samples of two classes or more'):
        metric.evaluate(len(same))
