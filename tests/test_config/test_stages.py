"""Tests of configs that train in stages."""

from __future__ import annotations

import pytest

from ltkit.config.stages import has_stages, load_runs, load_stages, stage_named
from ltkit.utils.errors import ConfigError

FIRST = "dict(name='representation', config='ltkit::erm/r8_digits_lt.py')"
SECOND = "dict(name='classifier', config='second.py', load_from='representation')"


@pytest.fixture
def staged(tmp_path):
    """Writes a config of stages, beside ``second.py``, and gives its path."""
    (tmp_path / 'second.py').write_text("_base_ = 'ltkit::erm/r8_digits_lt.py'\n"
                                        "frozen = dict(parameters=['backbone'])\n"
                                        "reinitialize = ['head.classifier']\n")

    def write(*entries: str, more: str = '', name: str = 'staged.py'):
        path = tmp_path / name
        path.write_text(f"{more}\nstages = [\n    {', '.join(entries)}]\n")
        return path

    return write


def _fails(path, words: str, **options) -> None:
    with pytest.raises(ConfigError) as error:
        load_stages(path, options or None)
    message = str(error.value)
    assert words in message and '\n' not in message, message


def test_stages_are_loaded_from_the_folder_of_their_file(staged, tmp_path, monkeypatch):
    path = staged(FIRST, SECOND)
    monkeypatch.chdir('/')
    first, second = load_stages(path)
    assert (first.name, second.name) == ('representation', 'classifier')
    assert first.source is None and second.source is first
    assert second.config.frozen == dict(parameters=['backbone']) and second.config.reinitialize == ['head.classifier']
    assert first.config.model.head.num_classes == 10


def test_a_config_that_inherits_stages_finds_their_files(staged, tmp_path):
    staged(FIRST, SECOND)
    heir = tmp_path / 'below' / 'heir.py'
    heir.parent.mkdir()
    heir.write_text("_base_ = '../staged.py'\n")
    assert [stage.name for stage in load_stages(heir)] == ['representation', 'classifier']


def test_options_are_for_all_stages_or_for_one(staged):
    path = staged(FIRST, SECOND.replace(')', ", cfg_options={'train_cfg.max_epochs': 7})"))
    first, second = load_stages(path, {'train_dataloader.batch_size': 64, 'classifier.optim_wrapper.optimizer.lr': 0.3})
    assert first.config.train_dataloader.batch_size == second.config.train_dataloader.batch_size == 64
    assert second.config.optim_wrapper.optimizer.lr == 0.3 != first.config.optim_wrapper.optimizer.lr
    assert second.config.train_cfg.max_epochs == 7 != first.config.train_cfg.max_epochs
    assert load_stages(path, {'classifier.train_cfg.max_epochs': 3})[1].config.train_cfg.max_epochs == 3


def test_a_checkpoint_may_stand_in_for_a_stage(staged):
    second, = load_stages(staged(SECOND.replace("'representation'", "'there/epoch_1.pth'")))
    assert second.source is None and second.load_from == 'there/epoch_1.pth'


@pytest.mark.parametrize('entries,words', [
    ([FIRST, SECOND.replace("'representation')", "'reprsentation')")],
     "load_from of stage 'classifier' is 'reprsentation', which is no earlier stage"),
    ([FIRST, SECOND.replace("'representation')", "'elsewhere')")], 'before it there are representation'),
    ([SECOND], 'it is the first one'),
    ([SECOND, FIRST], "which is no earlier stage"),
    ([FIRST, FIRST], "two stages 'representation'"),
    (['3'], 'a stage is a dict'),
    (["dict(name='a')"], 'a stage needs config'),
    (["dict(config='a.py')"], 'a stage needs name'),
    (["dict(name='a/b', config='second.py')"], "but is 'a/b'"),
    ([FIRST.replace("'representation'", "'model'")], "'model' is a key of every config"),
    ([FIRST.replace('config=', 'confg=')], "a stage has no key 'confg'"),
    (["dict(name='a', config='nowhere.py')"], 'nowhere.py'),
    ([FIRST.replace(')', ', load_from=3)')], 'but is 3'),
    ([FIRST.replace(')', ', cfg_options=3)')], 'must be a dict of dotted keys'),
    ([FIRST.replace(')', ", cfg_options={'train_cgf.max_epochs': 3})")], "unknown top-level key 'train_cgf'"),
    ([FIRST, "dict(name='b', config='other.py')"], 'has stages itself'),
    ([], 'stages is to be a list of dict'),
])
def test_mistakes_in_the_list(staged, entries, words):
    staged(FIRST, name='other.py')
    _fails(staged(*entries), words)


def test_the_line_of_the_stage_is_named(staged):
    _fails(staged(FIRST + ',\n    ' + SECOND.replace("'representation')", "'elsewhere')")), 'staged.py:4')


def test_settings_beside_stages_are_refused(staged):
    _fails(staged(FIRST, more='train_cfg = dict(max_epochs=3)'), 'train_cfg has no effect beside stages')


@pytest.mark.parametrize('key,words', [('stages.0.config', 'settings are those of the stages'),
                                       ('classifer.train_cfg.max_epochs', "'classifer'; did you mean 'classifier'?"),
                                       ('else.train_cfg.max_epochs', "unknown top-level key 'else'"),
                                       ('classifier.load_from', "stage 'classifier' has load_from twice")])
def test_mistakes_on_the_command_line(staged, key, words):
    _fails(staged(FIRST, SECOND), words, **{key: 1})


def test_a_stage_by_its_name(staged):
    stages = load_stages(staged(FIRST, SECOND))
    assert stage_named(stages, 'classifier') is stages[1]
    with pytest.raises(ConfigError, match=r"--stage clasifier: there is no such stage.*classifier"):
        stage_named(stages, 'clasifier')


def test_has_stages():
    assert has_stages(dict(stages=[])) and not has_stages(dict(model={}))


def test_the_runs_of_any_config(staged):
    only, = load_runs('ltkit::erm/r8_digits_lt.py', {'train_cfg.max_epochs': 3})
    assert only.name == '' and only.config.train_cfg.max_epochs == 3
    assert [stage.name for stage in load_runs(staged(FIRST, SECOND))] == ['representation', 'classifier']


def test_an_option_that_replaces_a_dict_does_so_in_each_stage(staged):
    options = {'train_cfg': dict(_delete_=True, type='IterBasedTrainLoop', max_iters=20)}
    for stage in load_stages(staged(FIRST, SECOND), options):
        assert stage.config.train_cfg == dict(type='IterBasedTrainLoop', max_iters=20)
    assert options['train_cfg']['_delete_']  # what the caller gave stays
