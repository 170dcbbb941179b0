"""Post-hoc rules that are fitted before a test."""

from __future__ import annotations

import json

import pytest
import torch

from ltkit.apis import sweep_posthoc, train
from ltkit.apis import test as run_test
from ltkit.apis.posthoc_fit import PosthocFit, calibration
from ltkit.config import load_config
from ltkit.evaluation import Calibration
from ltkit.models.posthoc import LogitAdjustment
from ltkit.models.posthoc.temperature_fit import fit_temperature
from ltkit.registry import DATASETS, MODELS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.checkpoint import read_checkpoint
from ltkit.utils.errors import ConfigError
from ltkit.utils.weights import load_weights

BASE = 'ltkit::erm/r8_digits_lt_held_out.py'
PLAIN = 'ltkit::erm/r8_digits_lt.py'  # it validates on the test set, so that nothing can be fitted
RULES = ('model = dict(head=dict(posthoc=[{}]))\n'
         "test_evaluator = [dict(type='LongTailAccuracy'), dict(type='Calibration')]\n")
SCALING = "dict(type='TemperatureScaling')"
ADJUSTMENT = "dict(type='LogitAdjustment', tau=0.7)"


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """Of a few epochs beside held-out images."""
    cfg = load_config(BASE, {'train_cfg.max_epochs': 4, 'train_cfg.val_interval': 4,
                             'default_hooks.checkpoint.interval': 4})
    cfg.work_dir = str(tmp_path_factory.mktemp('held_out'))
    train(cfg)
    return f'{cfg.work_dir}/epoch_4.pth'


@pytest.fixture
def load(small_run):
    """``load(rules, work_dir, **options)``: the config with these rules."""
    return lambda rules='', work_dir='run', base=BASE, **options: small_run.load(
        small_run.config(RULES.format(rules), base), work_dir, **options)


def held_out_logits(checkpoint: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the held-out images, by hand."""
    cfg = load_config(BASE)
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor)).eval()
    load_weights(model, read_checkpoint(checkpoint), checkpoint)
    dataset = DATASETS.build(cfg.val_dataloader.dataset)
    inputs = torch.stack([item['inputs'] for item in dataset])
    with torch.no_grad():
        batch = model.data_preprocessor(dict(inputs=inputs))
        logits = model.head(model.extract_feat(batch['inputs']))
    return logits, torch.from_numpy(dataset.get_gt_labels())


def test_fits_before_the_test(load, small_run, checkpoint):
    plain = run_test(load(work_dir='plain'), checkpoint)
    fitted = run_test(load(SCALING), checkpoint)
    entry, = fitted['posthoc_fit']
    logits, labels = held_out_logits(checkpoint)
    assert entry['temperature'] == pytest.approx(fit_temperature(logits, labels)[0], rel=1e-4)
    assert (entry['type'], entry['data'], entry['samples']) == ('TemperatureScaling', 'DigitsLT held_out', 100)
    assert entry['nll'][1] < entry['nll'][0] == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, labels)), rel=1e-4)
    stored = json.loads((small_run.folder / 'run' / 'test_results.json').read_text())
    assert stored['posthoc_fit'] == fitted['posthoc_fit'] and 'posthoc_fit' not in plain
    for key, value in plain['metrics'].items():
        if key.startswith('accuracy/'):
            assert fitted['metrics'][key] == value
    given = load(f"dict(type='TemperatureScaling', temperature={entry['temperature']!r})", 'given')
    same = run_test(given, checkpoint)
    assert same['metrics']['calibration/nll'] == pytest.approx(fitted['metrics']['calibration/nll'], rel=1e-6)
    assert same['metrics']['calibration/nll'] != plain['metrics']['calibration/nll'] and 'posthoc_fit' not in same


def test_fits_to_what_the_rules_before_make_of_the_logits(load, checkpoint):
    first, second = run_test(load(f'{ADJUSTMENT}, {SCALING}, {SCALING}'), checkpoint)['posthoc_fit']
    logits, labels = held_out_logits(checkpoint)
    adjusted = LogitAdjustment(0.7, [90, 58, 37, 24, 15, 10, 6, 4, 2, 1])(logits)
    assert first['temperature'] == pytest.approx(fit_temperature(adjusted, labels)[0], rel=1e-4)
    assert second['temperature'] == pytest.approx(1, rel=1e-5) and second['nll'][0] == first['nll'][1]


def _distributed_fit(rank, world_size, small_run, config, checkpoint):
    torch.manual_seed(rank)
    cfg = small_run.load(config, f'of{world_size}', launcher='pytorch', val_dataloader__batch_size=7)
    fitted = []
    hook = PosthocFit._fit
    PosthocFit._fit = lambda self, *args: hook(self, *args) or fitted.extend(self.fitted)
    run_test(cfg, checkpoint)
    return fitted


def test_processes_see_each_sample_once_and_agree(small_run, load, checkpoint):
    alone, = run_test(load(SCALING), checkpoint)['posthoc_fit']
    found = run_distributed(_distributed_fit, 3, small_run, small_run.folder / 'small.py', checkpoint)
    assert found[0] == found[1] == found[2]
    assert found[0][0]['samples'] == 100  # of which 3 processes had 34 each
    assert found[0][0]['temperature'] == pytest.approx(alone['temperature'], rel=1e-5)
    assert found[0][0]['nll'] == pytest.approx(alone['nll'], rel=1e-5)


def test_a_temperature_of_the_checkpoint_is_used(load, small_run, checkpoint):
    content = read_checkpoint(checkpoint)
    content['state_dict']['head.posthoc.0.temperature'] = torch.tensor([4.0], dtype=torch.float64)
    path = str(small_run.folder / 'fitted.pth')
    torch.save(content, path)
    used = run_test(load(SCALING, 'used', PLAIN), path)
    given = run_test(load("dict(type='TemperatureScaling', temperature=4.0)", 'given', PLAIN), checkpoint)
    assert used['metrics']['calibration/nll'] == given['metrics']['calibration/nll'] and 'posthoc_fit' not in used


@pytest.mark.parametrize('base, options, message', [
    (PLAIN, {}, r'TemperatureScaling would be fitted to the test set: .* or give temperature=\.\.\.'),
    (BASE, dict(val_dataloader=None), 'is fitted to the images of val_dataloader, which the config does not have; '),
    (BASE, dict(train_dataloader__dataset__held_out=3), 'train_dataloader has 7 of the 100 images of val_dataloader')])
def test_without_held_out_images_it_says_what_to_do(load, checkpoint, base, options, message):
    with pytest.raises(ConfigError, match=message) as error:
        run_test(load(SCALING, base=base, **options), checkpoint)
    assert '\n' not in str(error.value)


def test_a_sweep_of_the_temperature_needs_no_fit(load, checkpoint):
    sweep = sweep_posthoc(load(SCALING, base=PLAIN), checkpoint, 'temperature', [0.5, 1, 3])
    assert 'posthoc_fit' not in sweep
    losses = [entry['metrics']['calibration/nll'] for entry in sweep['sweep']]
    assert len(set(losses)) == 3 and losses[1] == sweep['without']['calibration/nll']
    assert len({entry['metrics']['accuracy/top1'] for entry in sweep['sweep']}) == 1


def test_a_sweep_after_a_fitted_rule(load, checkpoint):
    sweep = sweep_posthoc(load(f'{SCALING}, {ADJUSTMENT}'), checkpoint, 'tau', [0, 1])
    fitted = run_test(load(SCALING, 'alone'), checkpoint)
    assert sweep['posthoc_fit'] == fitted['posthoc_fit']
    assert sweep['sweep'][0]['metrics']['calibration/nll'] == pytest.approx(
        fitted['metrics']['calibration/nll'], rel=1e-5)


def test_validation_during_training_leaves_the_logits_as_they_are(load, small_run):
    short = dict(train_cfg__max_epochs=2, train_cfg__val_interval=1)
    plain, ruled = (train(load(rules, name, **short)) for rules, name in (('', 'plain'), (SCALING, 'ruled')))
    for key, value in plain['metrics'].items():
        if key.startswith('accuracy/'):
            assert ruled['metrics'][key] == value
    log = next((small_run.folder / 'ruled').glob('*/*.log')).read_text()
    assert log.count('TemperatureScaling has no temperature yet') == 1


def test_calibration_is_that_of_the_metric():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(60, 4, generator=generator), torch.randint(4, (60, ), generator=generator)
    metric = Calibration(groups=False)
    metric.process(None, [dict(pred_score=score, gt_label=label[None], sample_idx=i)
                          for i, (score, label) in enumerate(zip(logits.softmax(1), labels))])
    expected = metric.evaluate(60)
    found = calibration(logits, labels)
    assert found['nll'] == pytest.approx(expected['calibration/nll'], rel=1e-6)
    assert found['ece'] == pytest.approx(expected['calibration/ece'], rel=1e-6)
