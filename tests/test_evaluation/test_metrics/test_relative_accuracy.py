"""UA and RA from numbers and from results of reference runs."""

from __future__ import annotations

import json

import pytest
import torch

from ltkit.evaluation import RelativeAccuracy
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError, DataError

SIZE, HITS = 15, 9  # 60%


def samples_of(indices):
    return [dict(pred_score=torch.eye(3)[i % 3 if i < HITS else (i + 1) % 3], gt_label=torch.tensor([i % 3]),
                 sample_idx=i) for i in indices]


def evaluated(metric, indices=range(SIZE)):
    metric.process(None, samples_of(indices))
    return metric.evaluate(SIZE)


def share_of(rank, world_size):
    return evaluated(RelativeAccuracy(75, 70), [*range(SIZE), 0][rank::world_size])


def results(folder, accuracy, **more):
    folder.mkdir()
    data = dict(metrics={'accuracy/top1': accuracy, 'accuracy/few': 1.0}, **more)
    (folder / 'results.json').write_text(json.dumps(data))
    return str(folder / 'results.json')


def test_numbers():
    metric = RelativeAccuracy(backbone_reference=75, method_reference=70)
    assert evaluated(metric) == {'relative/ua': 75.0, 'relative/ra': pytest.approx(80)}
    assert metric.details['accuracy'] == 60 and metric.details['method_reference'] == 70
    assert evaluated(RelativeAccuracy(75, 80)) == {'relative/ua': 80.0, 'relative/ra': pytest.approx(75)}


def test_results_of_reference_runs(tmp_path):
    backbone = results(tmp_path / 'a', 75.0, class_counts=[28, 28, 27])
    results(tmp_path / 'b', 80.0)
    metric = RelativeAccuracy(backbone, str(tmp_path / 'b'))
    assert evaluated(metric)['relative/ra'] == pytest.approx(75)
    assert metric.details['sources'] == dict(backbone_reference=backbone,
                                             method_reference=str(tmp_path / 'b'))


def test_two_processes_count_a_padded_sample_once():
    for result in run_distributed(share_of, 2):
        assert result == evaluated(RelativeAccuracy(75, 70))


def test_what_is_missing_is_said():
    with pytest.raises(ConfigError, match='needs method_reference; train the reference on the balanced set'):
        RelativeAccuracy(backbone_reference=75)
    with pytest.raises(ConfigError, match='needs backbone_reference and method_reference'):
        RelativeAccuracy()
    with pytest.raises(DataError, match=r"method_reference 'nowhere\.json' cannot be read"):
        RelativeAccuracy(75, 'nowhere.json')


@pytest.mark.parametrize(('value', 'message'), [
    (0.75, r'in percent .* but is 0\.75; is 75 meant'), (120, 'but is 120'), (True, 'but is True')])
def test_references_are_in_percent(value, message):
    with pytest.raises(ConfigError, match=message):
        RelativeAccuracy(75, value)


def test_results_that_are_no_reference(tmp_path):
    with pytest.raises(DataError, match='trained on classes of 5 to 500 samples'):
        RelativeAccuracy(75, results(tmp_path / 'tail', 40.0, class_counts=[500, 50, 5]))
    with pytest.raises(DataError, match="no metric 'accuracy/top_1'; did you mean 'accuracy/top1'"):
        RelativeAccuracy(75, results(tmp_path / 'key', 40.0), key='accuracy/top_1')
    with pytest.raises(DataError, match='is 0, which is no accuracy to divide by'):
        RelativeAccuracy(75, results(tmp_path / 'zero', 0.0))
    (tmp_path / 'list.json').write_text('[1]')
    with pytest.raises(DataError, match=r'results\.json of a finished run'):
        RelativeAccuracy(75, str(tmp_path / 'list.json'))
    (tmp_path / 'text.json').write_text('{')
    with pytest.raises(DataError, match=r"text\.json' is no JSON"):
        RelativeAccuracy(75, str(tmp_path / 'text.json'))
