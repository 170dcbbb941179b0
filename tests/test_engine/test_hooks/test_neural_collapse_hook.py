"""Tests of ltkit.engine.hooks.neural_collapse_hook."""

from __future__ import annotations

import json

import pytest
import torch
from mmengine.hooks import Hook

from ltkit.engine.hooks import NeuralCollapseHook
from ltkit.engine.hooks import neural_collapse_hook as module
from ltkit.evaluation.functional import neural_collapse
from ltkit.registry import HOOKS
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError

CONFIG = '''
custom_hooks = [dict(type='NeuralCollapseHook', interval=2), dict(type='Stop')]
train_cfg = dict(max_epochs=5, val_interval=5)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=9))
model = dict(head=dict(regularizers=[dict(type='NeuralCollapseRegularizer', within=0.05, begin=1)]))
'''


@HOOKS.register_module(force=True)
class Stop(Hook):
    """Ends a run before an epoch, as a signal does."""

    at = None

    def before_train_epoch(self, runner):
        if runner.epoch == Stop.at:
            raise KeyboardInterrupt


@pytest.fixture
def small(small_run, monkeypatch):
    """A runner of CONFIG with more text and options, perhaps ended before an epoch; it draws if ``draw``."""

    def make(text='', work_dir='run', stop_at=None, draw=False, **options):
        monkeypatch.setattr(Stop, 'at', stop_at)
        if not draw:
            monkeypatch.setattr(module, 'plot_neural_collapse', lambda *args, **kwargs: None)
        return small_run.runner(small_run.config(CONFIG + text), work_dir=work_dir, **options)

    return make


def kept(small_run, work_dir='run'):
    return json.loads((small_run.folder / work_dir / 'neural_collapse.json').read_text())


def by_hand(model, dataset):
    """The numbers of a model on all images of a data set."""
    model.eval()
    batch = dict(inputs=[dataset[i]['inputs'] for i in range(len(dataset))],
                 data_samples=[dataset[i]['data_samples'] for i in range(len(dataset))])
    with torch.no_grad():
        data = model.data_preprocessor(batch, False)
        features = model.extract_feat(data['inputs'], 'pre_logits')
        predictions = model.head.classifier(features).argmax(1)
    return neural_collapse(features, dataset.get_gt_labels(), predictions, model.head.classifier.weight)


def test_it_measures_the_training_set(small, small_run):
    """After every second epoch and the last; the last numbers are those of the final model."""
    runner = small(draw=True)
    runner.train()
    history = kept(small_run)
    assert [record['epoch'] for record in history['records']] == [2, 4, 5] and history['seed'] == 0
    assert history['divide_by_classes'] is True
    assert history['simplex_angle'] == pytest.approx(96.379, abs=1e-3) and history['name'].endswith('/small')
    want = by_hand(runner.model, runner.train_dataloader.dataset)
    for key, value in want.items():
        assert history['records'][-1][key] == pytest.approx(value, rel=1e-5, abs=1e-7), key
    assert len(history['records'][0]) == 10
    assert (small_run.folder / 'run' / 'neural_collapse.png').read_bytes().startswith(b'\x89PNG')
    scalars, = (small_run.folder / 'run').glob('*/vis_data/scalars.json')
    assert '"train_neural_collapse/nc1"' in scalars.read_text()
    assert not runner.model.predicts_features


def test_training_is_the_same_with_and_without_it(small):
    short = 'train_cfg = dict(max_epochs=3, val_interval=5)\n'
    watched, plain = small(short), small(short + 'custom_hooks = []', 'plain')
    watched.train()
    plain.train()
    for key, value in plain.model.state_dict().items():
        assert torch.equal(value, watched.model.state_dict()[key]), key


def test_a_resumed_run_has_the_same_history(small, small_run):
    small(work_dir='straight').train()
    ended = small(work_dir='ended', stop_at=3)
    with pytest.raises(KeyboardInterrupt):
        ended.train()
    assert [record['epoch'] for record in kept(small_run, 'ended')['records']] == [2]
    small(work_dir='ended', resume=True).train()
    assert kept(small_run, 'ended') == kept(small_run, 'straight')
    # Weights alone begin a run, and a history, of their own.
    small(work_dir='tuned', load_from=str(small_run.folder / 'straight' / 'epoch_4.pth')).train()
    assert kept(small_run, 'tuned')['records'] != kept(small_run, 'straight')['records']
    assert [record['epoch'] for record in kept(small_run, 'tuned')['records']] == [2, 4, 5]


def _measured(rank, world_size, folder, name):
    from ltkit.config import load_config
    from ltkit.engine import Runner
    cfg = load_config(name, {})
    cfg.work_dir, cfg.experiment_name = folder, f'processes_{world_size}'
    cfg.launcher = 'none' if world_size == 1 else 'pytorch'
    runner = Runner.from_cfg(cfg)
    hook = next(hook for hook in runner.hooks if isinstance(hook, NeuralCollapseHook))
    runner.train_loop.dataloader  # noqa: B018
    hook._loader = hook._build_loader(runner)
    return hook.measure(runner)


def test_two_processes_measure_what_one_does(small_run):
    """276 images, of which each process has its half."""
    name = str(small_run.config(CONFIG))
    want = run_distributed(_measured, 1, str(small_run.folder / 'one'), name)[0]
    for found in run_distributed(_measured, 2, str(small_run.folder / 'two'), name):
        assert found.keys() == want.keys()
        for key, value in want.items():
            assert found[key] == pytest.approx(value, rel=1e-6, abs=1e-9), key


@pytest.mark.parametrize('interval', [0, 1.5, True, 'ten'])
def test_bad_intervals(interval):
    with pytest.raises(ConfigError, match='interval of NeuralCollapseHook must be a whole number of epochs from 1 on'):
        NeuralCollapseHook(interval)


@pytest.mark.parametrize('text, words', [
    ('train_cfg = dict(_delete_=True, by_epoch=False, max_iters=9, val_interval=9)\nparam_scheduler = []',
     'counts epochs'),
    ('val_dataloader = None\nval_cfg = None\nval_evaluator = None', r'not both configs here; give it dataloader=dict'),
])
def test_refused_in_one_line(small, text, words):
    with pytest.raises(ConfigError, match=words) as raised:
        small(text).train()
    assert '\n' not in str(raised.value)
