"""Tests of training the stages of a config one after the other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import weakref
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop, ValLoop

from ltkit.apis.stages import stages_table, train_stages
from ltkit.config.stages import load_stages
from ltkit.engine import Runner
from ltkit.engine.hooks import ResultsHook
from ltkit.testing.distributed import run_distributed
from ltkit.utils.checkpoint import read_checkpoint
from ltkit.utils.errors import CheckpointError, ConfigError, Interrupted

# cRT: the representation as it is, a new classifier, classes drawn in turn.
CLASSIFIER = '''_base_ = 'ltkit::erm/r8_digits_lt.py'
train_dataloader = dict(sampler=dict(type='ClassAwareSampler'))
frozen = dict(parameters=['backbone'], statistics=['backbone'])
reinitialize = ['head.classifier']
'''
STAGES = '''stages = [
    dict(name='representation', config='ltkit::erm/r8_digits_lt.py'),
    dict(name='classifier', config='classifier.py', load_from='representation'),
]
'''
OPTIONS = {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2, 'default_hooks.checkpoint.interval': 1}


def _stages(**options):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, 'classifier.py').write_text(CLASSIFIER)
        Path(folder, 'stages.py').write_text(STAGES)
        given = {**OPTIONS, **{key.replace('__', '.'): value for key, value in options.items()}}
        return load_stages(Path(folder, 'stages.py'), given)


def _weights(folder: Path, stage: str) -> dict[str, torch.Tensor]:
    return read_checkpoint(folder / stage / 'epoch_2.pth')['state_dict']


@pytest.fixture(scope='module')
def done(tmp_path_factory):
    """Both stages of cRT, two epochs each: the folder and what was returned."""
    folder = tmp_path_factory.mktemp('stages')
    return folder, train_stages(_stages(), str(folder))


def test_stage_2_keeps_what_is_frozen_to_the_bit(done):
    folder, _ = done
    first, second = _weights(folder, 'representation'), _weights(folder, 'classifier')
    assert set(first) == set(second)
    for name in first:
        changed = name.startswith('head.classifier')
        assert torch.equal(first[name], second[name]) != changed, name


def test_the_optimizer_of_stage_2_holds_the_classifier_alone(done):
    folder, _ = done
    optimizer = read_checkpoint(folder / 'classifier' / 'epoch_2.pth')['optimizer']
    assert len(optimizer['state']) == sum(len(group['params']) for group in optimizer['param_groups']) == 2


def test_stage_2_samples_class_aware_and_stage_1_does_not(done):
    folder, _ = done
    configs = {name: json.loads((folder / name / 'stage.json').read_text())['config']
               for name in ('representation', 'classifier')}
    kinds = {name: config['train_dataloader']['sampler']['type'] for name, config in configs.items()}
    assert kinds == dict(representation='InstanceBalancedSampler', classifier='ClassAwareSampler')


def test_results_of_all_stages_in_one_file(done):
    folder, results = done
    kept = json.loads((folder / 'results.json').read_text())
    assert kept['metrics'] == json.loads((folder / 'classifier' / 'results.json').read_text())['metrics']
    assert list(kept['stages']) == ['representation', 'classifier'] and kept['stages'] == results['stages']
    assert kept['seconds'] == pytest.approx(sum(stage['seconds'] for stage in kept['stages'].values()), abs=0.02)
    table = stages_table({name: json.loads((folder / name / 'results.json').read_text()) for name in kept['stages']})
    heads, _, *rows = table.splitlines()
    assert heads.split()[:4] == ['stage', 'top-1', 'many', 'medium']
    assert [row.split()[0] for row in rows[:2]] == ['representation', 'classifier']


def test_finished_stages_are_skipped(done, capsys, monkeypatch):
    folder, results = done
    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', lambda loop: pytest.fail('a finished stage was trained'))
    assert train_stages(_stages(), str(folder))['stages'] == results['stages']
    assert capsys.readouterr().out.count('has finished before') == 2


def test_other_settings_than_those_of_a_finished_stage_are_refused(done):
    folder, _ = done
    with pytest.raises(ConfigError) as error:
        train_stages(_stages(classifier__optim_wrapper__optimizer__lr=0.7), str(folder))
    assert "stage 'classifier' in" in str(error.value)
    assert 'optim_wrapper.optimizer.lr: 0.1 then, 0.7 now' in str(error.value)


@pytest.mark.parametrize('stopped_in', [1, 2, 3, 4])
def test_an_interrupted_stage_goes_on_as_if_it_had_not_been(done, tmp_path, monkeypatch, stopped_in):
    """Stopped before the first, in the first, between the two and in the second."""
    run_epoch, begun = EpochBasedTrainLoop.run_epoch, []

    def stopping(loop):
        begun.append(loop)
        if len(begun) == stopped_in:
            raise KeyboardInterrupt
        run_epoch(loop)

    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', stopping)
    with pytest.raises(KeyboardInterrupt):
        train_stages(_stages(), str(tmp_path))
    results = train_stages(_stages(), str(tmp_path))
    assert len(begun) == 5
    folder, whole = done
    assert {name: stage['metrics'] for name, stage in results['stages'].items()} == \
        {name: stage['metrics'] for name, stage in whole['stages'].items()}
    for stage in ('representation', 'classifier'):
        expected = _weights(folder, stage)
        assert all(torch.equal(value, expected[name]) for name, value in _weights(tmp_path, stage).items())


@pytest.fixture
def copy(done, tmp_path):
    """A folder of both stages that a test may change."""
    folder = Path(shutil.copytree(done[0], tmp_path / 'copy'))
    for name in ('representation', 'classifier'):
        (folder / name / 'last_checkpoint').write_text(str(folder / name / 'epoch_2.pth'))  # not that of the original
    return folder


def _same(folder: Path, results: dict, done) -> None:
    """As after the run of ``done``."""
    for name, stage in done[1]['stages'].items():
        assert results['stages'][name]['metrics'] == stage['metrics']
        expected = _weights(done[0], name)
        assert all(torch.equal(value, expected[key]) for key, value in _weights(folder, name).items())


def test_a_signal_in_the_last_evaluation_of_a_stage_stops_before_the_next(done, tmp_path, monkeypatch):
    run = ValLoop.run

    def stopped(loop):
        os.kill(os.getpid(), signal.SIGTERM)
        return run(loop)

    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="SIGTERM: stopped before stage 'classifier'"):
        patch.setattr(ValLoop, 'run', stopped)
        train_stages(_stages(), str(tmp_path))
    assert (tmp_path / 'representation' / 'results.json').exists() and not (tmp_path / 'classifier').exists()
    _same(tmp_path, train_stages(_stages(), str(tmp_path)), done)


def test_a_signal_while_a_stage_is_built_is_not_lost(tmp_path, monkeypatch):
    build = Runner.from_cfg.__func__

    def stopped(kind, cfg):
        os.kill(os.getpid(), signal.SIGUSR1)
        return build(kind, cfg)

    monkeypatch.setattr(Runner, 'from_cfg', classmethod(stopped))
    with pytest.raises(Interrupted, match=r'SIGUSR1: saved after iteration 1 in .*; the same command continues there'):
        train_stages(_stages(), str(tmp_path))


def test_a_stage_that_was_killed_at_its_very_end_is_only_evaluated(done, copy, monkeypatch):
    for name in ('representation', 'classifier'):
        path = copy / name / 'stage.json'
        path.write_text(json.dumps({**json.loads(path.read_text()), 'state': 'begun', 'checkpoint': None}))
        (copy / name / 'results.json').unlink()
    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', lambda loop: pytest.fail('trained again'))
    _same(copy, train_stages(_stages(), str(copy)), done)


def test_a_damaged_end_of_a_stage_is_made_again_from_the_epoch_before(done, copy, capsys):
    """Not handed over as it was an epoch before, and not in silence."""
    path = copy / 'representation' / 'epoch_2.pth'
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ConfigError, match=r"stage 'classifier' in .* was finished from another checkpoint"):
        train_stages(_stages(), str(copy))
    assert "stage 'representation' had finished, but" in capsys.readouterr().out
    shutil.rmtree(copy / 'classifier')
    _same(copy, train_stages(_stages(), str(copy)), done)
    assert "stage 'representation' was interrupted and goes on from" in capsys.readouterr().out


def test_damaged_results_are_made_again(done, copy, monkeypatch):
    (copy / 'representation' / 'results.json').write_text('{"metrics": {')
    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', lambda loop: pytest.fail('trained again'))
    _same(copy, train_stages(_stages(), str(copy)), done)


def test_what_is_in_the_folder_of_a_later_stage_is_looked_at_first(copy, monkeypatch):
    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', lambda loop: pytest.fail('trained'))
    shutil.rmtree(copy / 'representation')
    with pytest.raises(ConfigError, match=r"stage 'classifier' in .* was finished with other settings"):
        train_stages(_stages(classifier__optim_wrapper__optimizer__lr=0.7), str(copy))
    with pytest.raises(ConfigError, match=r"another checkpoint .* than stage 'representation' will end with"):
        train_stages(_stages(), str(copy))
    assert not (copy / 'representation').exists()


def test_the_results_of_all_stay_those_of_the_last_stage(done, copy):
    train_stages(_stages(), str(copy), only='representation')
    assert json.loads((copy / 'results.json').read_text())['metrics'] == done[1]['metrics']


def test_results_of_another_run_are_not_replaced(done, tmp_path):
    shutil.copy(done[0] / 'representation' / 'results.json', tmp_path)
    with pytest.raises(ConfigError, match=r'results\.json is of another run \(erm/r8_digits_lt\)'):
        train_stages(_stages(), str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_stage_leaves_nothing_in_memory(tmp_path, monkeypatch):
    run_epoch, alive = EpochBasedTrainLoop.run_epoch, []

    def counting(loop):
        alive.append(weakref.ref(loop.runner.model))
        run_epoch(loop)
        assert [model() is None for model in alive[:-2]] == [True] * len(alive[:-2])

    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', counting)
    train_stages(_stages(), str(tmp_path))
    assert len(alive) == 4


def _two(rank: int, world_size: int, work_dir: str, checkpoint: str | None) -> dict:
    """One of two processes; where there is no checkpoint, the second one is asked to stop before stage 2."""
    stages = _stages(val_dataloader=None, val_cfg=None, val_evaluator=None) if checkpoint is None else _stages()
    for stage in stages:
        stage.config.launcher = 'pytorch'
    if checkpoint is None and rank == 1:
        after_train = ResultsHook.after_train

        def stopped(hook, runner):
            os.kill(os.getpid(), signal.SIGUSR1)
            after_train(hook, runner)
        ResultsHook.after_train = stopped
    try:
        return train_stages(stages, work_dir, stage1_checkpoint=checkpoint)
    except Interrupted as error:
        return dict(stopped=str(error))


def _two_check(rank: int, world_size: int, work_dir: str) -> str:
    """One of two processes, whose first stage draws what all of them share; the second one does not fit."""
    etf = dict(type='ETFClassifier', _delete_=True)
    stages = _stages(representation__model__head__classifier=etf, classifier__reinitialize=['hed'])
    for stage in stages:
        stage.config.launcher = 'pytorch'
    try:
        train_stages(stages, work_dir)
    except ConfigError as error:
        return str(error)


def test_two_processes_check_all_stages_and_both_tell_what_is_wrong(tmp_path):
    """Neither waits for the other, nor dies of its end."""
    first, second = run_distributed(_two_check, 2, str(tmp_path))
    assert first == second and "reinitialize: 'hed' matches no weight" in first
    assert not list(tmp_path.iterdir())


def test_two_processes_train_a_frozen_stage_as_one_does(done, tmp_path):
    """Its batch normalisation does not depend on how the batch is divided."""
    folder, whole = done
    checkpoint = folder / 'representation' / 'epoch_2.pth'
    results = run_distributed(_two, 2, str(tmp_path), str(checkpoint))
    assert results[0]['stages']['classifier']['metrics']['accuracy/top1'] == pytest.approx(
        whole['metrics']['accuracy/top1'], abs=0.5)
    first = read_checkpoint(checkpoint)['state_dict']
    expected, found = _weights(folder, 'classifier'), _weights(tmp_path, 'classifier')
    for name, value in expected.items():
        if name.startswith('backbone'):
            assert torch.equal(found[name], first[name]), name
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-4)


def test_a_signal_to_one_of_two_processes_stops_both_between_stages(tmp_path):
    """Without an evaluation, so that nothing but the checkpoint keeps them together."""
    first, second = (found['stopped'] for found in run_distributed(_two, 2, str(tmp_path), None))
    assert first.startswith("a signal to another process: stopped before stage 'classifier'")
    assert second.startswith("SIGUSR1: stopped before stage 'classifier'")
    assert json.loads((tmp_path / 'representation' / 'stage.json').read_text())['state'] == 'finished'


def test_one_stage_alone_from_a_checkpoint_of_elsewhere(done, tmp_path):
    folder, _ = done
    path = str(folder / 'representation' / 'epoch_2.pth')
    results = train_stages(_stages(), str(tmp_path), stage1_checkpoint=path)
    assert list(results['stages']) == ['classifier'] and not (tmp_path / 'representation').exists()
    expected = _weights(folder, 'classifier')
    assert all(torch.equal(value, expected[name]) for name, value in _weights(tmp_path, 'classifier').items())
    with pytest.raises(ConfigError, match='was finished from another checkpoint'):
        other = folder / 'representation' / 'epoch_1.pth'
        train_stages(_stages(), str(tmp_path), stage1_checkpoint=str(other))


def test_a_stage_needs_the_one_before(tmp_path):
    with pytest.raises(CheckpointError, match="stage 'classifier' begins from 'representation', which has not fin"):
        train_stages(_stages(), str(tmp_path), only='classifier')
    assert not list(tmp_path.iterdir())


def test_the_last_stage_needs_no_checkpoint(done, tmp_path, monkeypatch):
    """From which nothing begins."""
    def stages():
        made = _stages()
        made[1].config.default_hooks.checkpoint = None
        return made

    path = str(done[0] / 'representation' / 'epoch_2.pth')
    results = train_stages(stages(), str(tmp_path), stage1_checkpoint=path)
    assert results['metrics'] == done[1]['metrics'] and not list((tmp_path / 'classifier').glob('*.pth'))
    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', lambda loop: pytest.fail('a finished stage was trained'))
    assert train_stages(stages(), str(tmp_path), stage1_checkpoint=path)['metrics'] == done[1]['metrics']


def test_only_the_first_stage(tmp_path):
    stages = _stages(train_cfg__max_epochs=1, train_cfg__val_interval=1)
    results = train_stages(stages, str(tmp_path), only='representation')
    assert list(results['stages']) == ['representation'] and not (tmp_path / 'results.json').exists()


def test_nothing_is_left_of_one_stage(tmp_path):
    with pytest.raises(ConfigError, match='--stage representation is the stage that --stage1-checkpoint stands for'):
        train_stages(_stages(), str(tmp_path), only='representation', stage1_checkpoint='a.pth')


def test_a_folder_of_another_run_is_refused(done, tmp_path):
    (tmp_path / 'representation').mkdir()
    os.link(done[0] / 'classifier' / 'epoch_2.pth', tmp_path / 'representation' / 'epoch_2.pth')
    with pytest.raises(ConfigError, match="holds checkpoints of a run that is no stage 'representation'"):
        train_stages(_stages(), str(tmp_path))


@pytest.mark.parametrize('options,words', [
    (dict(classifier__model__backbone__base_channels=8), "stage 'representation' does not fit: backbone.conv1.weight"),
    (dict(classifier__frozen__parameters=['backbon']), "frozen.parameters: 'backbon' matches no parameter"),
    (dict(classifier__frozen__statistics=['head']), "frozen.statistics: 'head' matches no batch normalisation"),
    (dict(classifier__reinitialize=['hed']), "reinitialize: 'hed' matches no weight"),
    (dict(classifier__reinitialize=['*'], classifier__frozen__parameters=[]), 'nothing of stage'),
    (dict(classifier__reinitialize=['backbone.conv1']), 'backbone.conv1.weight is frozen, but not handed over'),
    (dict(representation__default_hooks__checkpoint=None), "stage 'representation' saves no checkpoint"),
])
def test_mistakes_are_told_before_any_training(tmp_path, options, words):
    if 'representation__default_hooks__checkpoint' in options:
        stages = _stages()
        stages[0].config.default_hooks.checkpoint = None
    else:
        stages = _stages(**options)
    with pytest.raises((ConfigError, CheckpointError)) as error:
        train_stages(stages, str(tmp_path))
    assert words in str(error.value) and '\n' not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_width_is_told_before_any_training(tmp_path):
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(3, 1, 3, 3)}), tmp_path / 'wide.pth')
    with pytest.raises(CheckpointError, match=r'wide.pth does not fit: backbone.conv1.weight is \(3, 1, 3, 3\) there'):
        train_stages(_stages(), str(tmp_path / 'run'), stage1_checkpoint=str(tmp_path / 'wide.pth'))
    with pytest.raises(CheckpointError, match=r'no checkpoint at .*absent.pth'):
        train_stages(_stages(), str(tmp_path / 'run'), stage1_checkpoint=str(tmp_path / 'absent.pth'))
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('settings', [
    dict(default_hooks=dict(checkpoint=3)), dict(train_cfg=None),
    dict(default_hooks=dict(checkpoint=dict(interval='x', save_last=False)), train_cfg=dict(max_epochs=1))])
def test_what_is_no_setting_of_an_end_is_left_to_those_who_build_it(settings):
    from ltkit.apis.stages import check_end
    check_end(Config(settings), "stage 'first'", "stage 'second'")
    with pytest.raises(ConfigError, match=r"^stage 'first' saves no checkpoint"):
        check_end(Config({**settings, 'default_hooks': dict(checkpoint=None)}), "stage 'first'", "stage 'second'")
