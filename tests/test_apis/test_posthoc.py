"""Post-hoc rules on a checkpoint, and sweeps over their strength."""

from __future__ import annotations

import json

import pytest
import torch

from ltkit.apis import parse_rule, parse_sweep, sweep_posthoc, sweep_table, train
from ltkit.apis import test as run_test
from ltkit.models.heads import LongTailClsHead
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError

SHORT = 'train_cfg = dict(max_epochs=3, val_interval=3)\n'
RULE = 'model = dict(head=dict(posthoc=[dict(type={!r}, tau={})]))\n'


@pytest.fixture
def checkpoint(small_run):
    """Of three epochs of plain softmax on the digits."""
    train(small_run.load(SHORT))
    return str(small_run.folder / 'run' / 'epoch_3.pth')


def _accuracies(metrics: dict) -> dict:
    return {key: value for key, value in metrics.items() if key.startswith('accuracy/')}


def test_a_sweep_equals_one_test_for_each_strength(small_run, checkpoint, monkeypatch):
    passes = []
    forward = LongTailClsHead.forward
    monkeypatch.setattr(LongTailClsHead, 'forward', lambda self, feats: passes.append(1) or forward(self, feats))
    cfg = small_run.load(SHORT + RULE.format('LogitAdjustment', 9.0), 'sweep')
    results = sweep_posthoc(cfg, checkpoint, 'tau', [0, 0.5, 1.5])
    assert len(passes) == 2  # 700 images in batches of 350: the model has seen each once
    assert [entry['value'] for entry in results['sweep']] == [0, 0.5, 1.5]
    for entry in results['sweep']:
        cfg = small_run.load(SHORT + RULE.format('LogitAdjustment', entry['value']), f"test{entry['value']}")
        assert _accuracies(run_test(cfg, checkpoint)['metrics']) == _accuracies(entry['metrics'])
    plain = run_test(small_run.load(SHORT, 'plain'), checkpoint)
    assert _accuracies(plain['metrics']) == _accuracies(results['without'])
    few = [entry['metrics']['accuracy/few'] for entry in results['sweep']]
    assert few[0] < few[-1]
    folder = small_run.folder / 'sweep'
    stored = json.loads((folder / 'posthoc_sweep.json').read_text())
    assert stored['sweep'] == results['sweep'] and stored['argument'] == 'tau' and stored['commit'] == results['commit']
    assert (folder / 'posthoc_sweep.png').stat().st_size > 10_000
    assert not (folder / 'test_results.json').exists()  # it would have the figures without the rule
    lines = sweep_table(results).splitlines()
    assert lines[2].startswith('no rule') and lines[4].startswith('tau=0.5') and 'many > 40, few < 10' in lines[-1]


def test_a_sweep_of_the_total_direct_effect_sees_each_image_once(small_run, monkeypatch):
    deconfound = SHORT + 'model = dict(head=dict(classifier=dict(type="CausalNormClassifier", alpha=1.5)))\n'
    train(small_run.load(deconfound))
    checkpoint = str(small_run.folder / 'run' / 'epoch_3.pth')
    passes = []
    forward = LongTailClsHead.forward
    monkeypatch.setattr(LongTailClsHead, 'forward', lambda self, feats: passes.append(1) or forward(self, feats))
    rule = 'model["head"]["posthoc"] = [dict(type="TotalDirectEffect", alpha=1.0)]\n'
    results = sweep_posthoc(small_run.load(deconfound + rule, 'sweep'), checkpoint, 'alpha', [0, 1.5, 4])
    assert len(passes) == 2
    for entry in results['sweep']:
        cfg = small_run.load(deconfound.replace('alpha=1.5', f'alpha={entry["value"]}'), f'test{entry["value"]}')
        assert _accuracies(run_test(cfg, checkpoint)['metrics']) == _accuracies(entry['metrics'])
    assert _accuracies(results['sweep'][1]['metrics']) == _accuracies(results['without'])
    assert len({entry['metrics']['accuracy/few'] for entry in results['sweep']}) > 1


def _distributed_sweep(rank, world_size, small_run, checkpoint):
    torch.manual_seed(rank)
    cfg = small_run.load(SHORT + RULE.format('LogitAdjustment', 1.0), f'sweep{world_size}', launcher='pytorch',
                         test_dataloader__batch_size=33)
    return sweep_posthoc(cfg, checkpoint, 'tau', [0, 1])['sweep']


def test_two_processes_count_every_sample_once(small_run, checkpoint):
    cfg = small_run.load(SHORT + RULE.format('LogitAdjustment', 1.0), 'one')
    expected = sweep_posthoc(cfg, checkpoint, 'tau', [0, 1])
    for found in run_distributed(_distributed_sweep, 2, small_run, checkpoint):
        assert [_accuracies(entry['metrics']) for entry in found] == [
            _accuracies(entry['metrics']) for entry in expected['sweep']]


def test_several_experts_and_rules_in_a_row(small_run):
    base = 'ltkit::ride/r8_digits_lt.py'
    config = small_run.config(SHORT, base)
    train(small_run.load(config))
    chain = ('model = dict(head=dict(posthoc=[dict(type="LogitAdjustment", tau=1.0), '
             'dict(type="LogitAdjustment", tau=0.5)]))\n')
    sweep = sweep_posthoc(small_run.load(small_run.config(SHORT + chain, base), 'sweep'),
                          str(small_run.folder / 'run/epoch_3.pth'), 'tau', [-1.0, 0.5])
    assert _accuracies(sweep['sweep'][0]['metrics']) == _accuracies(sweep['without'])  # the two cancel
    assert sweep['sweep'][1]['metrics']['accuracy/few'] >= sweep['without']['accuracy/few']


@pytest.mark.parametrize('text, message', [
    (SHORT, 'a sweep needs a post-hoc rule'),
    (SHORT + RULE.format('LogitAdjustment', 1.0), "LogitAdjustment has no argument 'tua'; did you mean 'tau'")])
def test_a_sweep_of_nothing(small_run, text, message):
    with pytest.raises(ConfigError, match=message):
        sweep_posthoc(small_run.load(text), 'absent.pth', 'tua', [1.0])


def test_parse_rule():
    assert parse_rule(['LogitAdjustment']) == dict(type='LogitAdjustment')
    assert parse_rule(['A', 'tau=1.5', 'name=b', 'prior=[1,2]']) == dict(type='A', tau=1.5, name='b', prior=[1, 2])
    for words, message in ((['tau=1'], "'tau=1' stands where the name"), (['A', 'tau'], "'tau' is not KEY=VALUE"),
                           (['A', '=1'], "'=1' is not KEY=VALUE")):
        with pytest.raises(ConfigError, match=message):
            parse_rule(words)


@pytest.mark.parametrize('text, values', [
    ('tau=0:2:0.5', [0, 0.5, 1, 1.5, 2]), ('tau=0:1:0.1', [round(i / 10, 10) for i in range(11)]),
    ('tau=2:1:-0.5', [2, 1.5, 1]), ('tau=0:1:0.4', [0, 0.4, 0.8]), ('tau=1', [1]), ('tau=0.5,3,-1', [0.5, 3, -1]),
    ('tau=1:1:1', [1])])
def test_parse_sweep(text, values):
    assert parse_sweep(text) == ('tau', values)


@pytest.mark.parametrize('text', ['tau', '=1', 'tau=', 'tau=1:2', 'tau=2:1:0.5', 'tau=0:1:0', 'tau=0:1:0.0001', 'tau=a',
                                  'tau=1,,2', 'tau=0:inf:1', 'tau=nan:1:1'])
def test_parse_sweep_refuses(text):
    with pytest.raises(ConfigError, match='is not KEY=START:LAST:STEP'):
        parse_sweep(text)
