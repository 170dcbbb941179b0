"""``tools/train.py`` on a config with stages: bad input gets one line, before anything is trained or written."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

REPO = Path(__file__).resolve().parents[2]
CRT, LWS = (REPO / 'configs/decouple' / f'{name}_r8_digits_lt.py' for name in ('crt', 'lws'))
FIRST = "dict(name='representation', config='ltkit::erm/r8_digits_lt.py')"
CLASSIFIER = CRT.with_name('crt_r8_digits_lt_classifier.py')
SECOND = f"dict(name='classifier', config='{CLASSIFIER}', load_from='representation')"


@pytest.fixture
def command(tmp_path, monkeypatch, capfd):
    """Runs the tool in this process, as ``python tools/train.py`` does; its status and what it printed as errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.delenv('LTKIT_DEBUG', raising=False)
    monkeypatch.setattr(Runner, 'train', lambda runner: pytest.fail('a stage has begun to train'))

    def run(config: object, *arguments: object, work_dir: str = 'run') -> tuple[int, str]:
        words = ['train.py', config, '--work-dir', work_dir, *arguments]
        monkeypatch.setattr(sys, 'argv', [str(word) for word in words])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(REPO / 'tools/train.py'), run_name='__main__')
        return end.value.code, capfd.readouterr().err

    return run


def _refused(done: tuple[int, str], *words: str) -> None:
    status, printed = done
    assert status == 2 and 'Traceback' not in printed
    line, = [line for line in printed.splitlines() if line.startswith('error: ')]
    assert printed.splitlines()[-1] == line
    for word in words:
        assert word in line, line


def _begun(folder: Path, stage: str, config: dict, epochs: int = 1) -> None:
    (folder / stage).mkdir(parents=True)
    torch.save(dict(state_dict={}), folder / stage / f'epoch_{epochs}.pth')
    (folder / stage / 'stage.json').write_text(json.dumps(dict(state='begun', config=config)))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.mark.parametrize('arguments, words', [
    (['--stage', 'nothing'], ['--stage nothing: there is no such stage', 'there are representation, classifier']),
    (['--stage', 'clasifier'], ["did you mean 'classifier'?"]),
    (['--stage', 'nothing', '--stage1-checkpoint', 'a.pth'], ['there is no such stage']),
    (['--stage', 'representation', '--stage1-checkpoint', 'a.pth'], ['there is nothing to train']),
    (['--stage', 'classifier'], ["begins from 'representation', which has not finished in run/representation",
                                 'leave --stage out']),
    (['--stage1-checkpoint', 'absent.pth'], ['no checkpoint at absent.pth']),
    (['--stage1-checkpoint', ''], ["no checkpoint at ''"]),
    (['--stage1-checkpoint', 'text.pth'], ['text.pth (5 bytes) is truncated or not a checkpoint']),
    (['--stage1-checkpoint', 'cut.pth'], ['cut.pth', 'truncated or not a checkpoint']),
    (['--stage1-checkpoint', 'wide.pth'], ["stage 'classifier'", 'wide.pth does not fit: backbone.conv1.weight is '
                                           '(32, 1, 3, 3) there and (16, 1, 3, 3) in the model', 'of the same width']),
    (['--stage1-checkpoint', 'other.pth'], ['nothing of other.pth can be handed over', 'encoder']),
    (['--resume'], ['go on where they stopped by themselves', 'leave --resume out']),
    (['--cfg-options', 'clasifier.train_cfg.max_epochs=1'], ["there is no stage 'clasifier'; did you mean 'cl"]),
    (['--cfg-options', 'stages.0.name=a'], ['classifier.KEY=VALUE for one of them']),
    (['--cfg-options', 'classifier.load_from=other.pth'], ['has load_from twice', '--stage1-checkpoint PATH']),
    (['--cfg-options', 'representation.load_from=absent.pth'], ['no checkpoint at absent.pth']),
    (['--cfg-options', 'classifier.train_dataloader=None'], ["stage 'classifier'", 'has no train_dataloader']),
    (['--cfg-options', 'classifier.frozen.parameters=backbon'], ["'backbon' matches no parameter"]),
    (['--cfg-options', 'classifier.frozen.statistics=head'], ["'head' matches no batch normalisation"]),
    (['--cfg-options', 'classifier.frozen.parameter=backbone'], ["frozen has no key 'parameter'"]),
    (['--cfg-options', 'classifier.reinitialize=hed'], ["reinitialize: 'hed' matches no weight"]),
    (['--cfg-options', 'classifier.reinitialize=backbone'], ['is frozen, but not handed over']),
    (['--cfg-options', 'representation.default_hooks.checkpoint.save_last=False',
      'representation.default_hooks.checkpoint.interval=30'],
     ["stage 'representation' does not save what it ends with", "stage 'classifier' begins from it"]),
    (['--cfg-options', 'classifier.model.backbone.base_channels=8'], ["stage 'classifier'", 'does not fit']),
    (['--cfg-options', 'classifier.model.head.loss={"type": "LDAMLoss", "max_margin": "wide", "_delete_": true}'],
     ["stage 'classifier'", "LDAMLoss: '>='"]),
    (['--cfg-options', 'classifier.model.backbone.base_chanels=8'], ["stage 'classifier'", "'base_channels'"]),
])
def test_of_the_command_line(command, tmp_path, arguments, words):
    (tmp_path / 'text.pth').write_text('text\n')
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(32, 1, 3, 3)}), tmp_path / 'wide.pth')
    torch.save(dict(state_dict={'encoder.weight': torch.zeros(3)}), tmp_path / 'other.pth')
    (tmp_path / 'cut.pth').write_bytes((tmp_path / 'other.pth').read_bytes()[:300])
    before = _files(tmp_path)
    _refused(command(CRT, *arguments), *words)
    assert _files(tmp_path) == before and not (tmp_path / 'run').exists()


@pytest.mark.parametrize('entries, words', [
    ([FIRST, SECOND.replace("'representation'", "'reprsentation'")], ['staged.py:2', "is no earlier stage; did you"]),
    ([FIRST, FIRST], ["staged.py:2", "there are two stages 'representation'"]),
    ([FIRST, "dict(name='classifier', config='absent.py', load_from='representation')"],
     ["stage 'classifier' of", 'staged.py:2', 'absent.py']),
    ([FIRST, SECOND.replace("'representation'", "'absent.pth'")], ['no checkpoint at absent.pth']),
    ([FIRST.replace("'representation'", "'model'")], ["'model' is a key of every config"]),
    ([FIRST, SECOND.replace(", load_from='representation'", '')],
     ["stage 'classifier' (staged.py:2)", "freezes ['backbone']", "give the stage load_from='representation'"]),
    ([SECOND.replace(", load_from='representation'", '')], ["freezes ['backbone']", 'give the stage load_from=PATH']),
    ([FIRST, SECOND.replace("load_from='representation'", "cfg_options=dict(load_from='wide.pth')")],
     ["stage 'classifier' (staged.py:2)", 'wide.pth does not fit: backbone.conv1.weight is (32, 1, 3, 3) there']),
])
def test_of_the_config(command, tmp_path, entries, words):
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(32, 1, 3, 3)}), tmp_path / 'wide.pth')
    (tmp_path / 'staged.py').write_text(f"stages = [{entries[0]},\n{', '.join(entries[1:])}]\n")
    _refused(command('staged.py'), *words)
    assert not (tmp_path / 'run').exists()


def test_a_first_stage_that_no_other_begins_from(command, tmp_path):
    (tmp_path / 'staged.py').write_text(f'stages = [{FIRST}]\n')
    _refused(command('staged.py', '--stage1-checkpoint', 'a.pth'), "no stage begins from 'representation'")


def test_of_the_work_folder(command, tmp_path):
    """Other settings, another config, a plain run: all folders are looked at before the first stage."""
    folder = tmp_path / 'run'
    _begun(folder, 'classifier', dict(train_cfg=dict(max_epochs=7)))
    before = _files(tmp_path)
    _refused(command(CRT), "stage 'classifier' in run/classifier was begun with other settings")
    _refused(command(LWS), "stage 'classifier' in run/classifier was begun with other settings")
    (folder / 'classifier' / 'stage.json').write_text('{"state": "fini')
    _refused(command(CRT), 'run/classifier/stage.json cannot be read', "to train stage 'classifier' again")
    (folder / 'classifier' / 'stage.json').unlink()
    _refused(command(CRT), "run/classifier holds checkpoints of a run that is no stage 'classifier'")
    assert set(_files(tmp_path)) == set(before) - {str(folder / 'classifier' / 'stage.json')}
    plain = tmp_path / 'plain'
    plain.mkdir()
    (plain / 'results.json').write_text(json.dumps(dict(name='erm/r8_digits_lt', metrics={})))
    _refused(command(CRT, work_dir='plain'), 'plain/results.json is of another run (erm/r8_digits_lt)')
    _refused(command(CRT, work_dir='plain/results.json'), 'is not a folder')


@pytest.mark.parametrize('flags', [['--stage', 'classifier'], ['--stage1-checkpoint', 'a.pth']])
def test_options_for_stages_where_there_are_none(command, flags):
    _refused(command('ltkit::erm/r8_digits_lt.py', *flags), f'{flags[0]} is for a config with stages')


@pytest.mark.parametrize('options, words', [
    ([], ["freezes ['backbone']", 'load_from=PATH']),
    (['frozen.parameters=[]'], ["freezes ['backbone']", 'load_from=PATH']),  # the statistics of a new model: 0 and 1
    (['frozen=backbone'], ['frozen must be dict(parameters=[...], statistics=[...])']),
])
def test_a_later_stage_alone_needs_its_weights(command, tmp_path, options, words):
    _refused(command(CLASSIFIER, *(['--cfg-options', *options] if options else [])), *words)
    assert not (tmp_path / 'run').exists()
