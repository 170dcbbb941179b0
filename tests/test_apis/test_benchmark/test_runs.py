"""The runs of a benchmark: their keys change with what matters, and with nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ltkit.apis.arguments import option_value
from ltkit.apis.benchmark.config import Method, load_benchmark
from ltkit.apis.benchmark.runs import (
    METHOD,
    REFERENCE,
    as_argument,
    code_hash,
    code_of,
    config_hash,
    only_methods,
    plan,
)
from ltkit.config import load_config
from ltkit.utils.errors import ConfigError


@pytest.fixture
def benchmark(fake):
    return load_benchmark(fake.config("imbalance_factors = [50, 10]\nseeds = [0, 1]\nreference_seeds = [5]"))


def test_plan(benchmark):
    runs = plan(benchmark)
    assert sum(run.role == METHOD for run in runs) == 8 and sum(run.role == REFERENCE for run in runs) == 4
    assert [run.seed for run in runs] == [0] * 4 + [1] * 4 + [5] * 4
    assert len({run.identity for run in runs}) == 12
    assert {run.seed for run in plan(benchmark, seeds=[9])} == {9}
    assert all(run.role == METHOD for run in plan(benchmark, reference=False))
    balanced = next(run for run in runs if run.role == REFERENCE and run.factor == 10)
    assert balanced.label == 'erm, IF 10, seed 5, balanced'
    arguments = balanced.arguments('there', resume=True)
    assert arguments[1:6] == ['--work-dir', 'there', '--seed', '5', '--resume'] and arguments[6] == '--cfg-options'
    assert arguments[7:] == ['train_dataloader.dataset.imbalance_factor=10',
                             'train_dataloader.dataset.balanced_reference=True']


@pytest.mark.parametrize('text, message', [
    ("cfg_options = {'train_cfg.max_epoch': 1}",
     r"bench.py: methods 'erm': cfg_options train_cfg.max_epoch: .* did you mean 'max_epochs'"),
    ("methods = {'gone': 'ltkit::erm/gone.py'}", r"bench.py: methods 'gone': config ltkit::erm/gone.py is not found"),
])
def test_what_is_wrong_in_a_run_is_told_with_file_and_method(fake, text, message):
    with pytest.raises(ConfigError, match=message):
        plan(load_benchmark(fake.config(text)))


def test_only_methods_keeps_the_references_of_the_baseline(benchmark):
    runs = only_methods(benchmark, plan(benchmark), ['ours'])
    assert {(run.method, run.role) for run in runs} == {
        ('ours', METHOD), ('ours', REFERENCE), ('erm', REFERENCE)}
    assert all(run.method == 'erm' for run in only_methods(benchmark, plan(benchmark), ['erm']))


def test_two_names_of_one_run_are_one_run(fake):
    fake.config('')
    (fake.folder / 'bench.py').write_text("methods = {'a': 'erm.py', 'b': 'erm.py'}\nreference = False\n")
    first, second = plan(load_benchmark(fake.folder / 'bench.py'))
    assert first.identity == second.identity


def test_config_hash_is_of_what_changes_the_result():
    cfg = load_config('ltkit::erm/r8_digits_lt.py').to_dict()
    own = config_hash(cfg, 0)
    assert own == config_hash(load_config('ltkit::erm/r8_digits_lt.py').to_dict(), 0)
    assert own != config_hash(cfg, 1)
    changed = load_config('ltkit::erm/r8_digits_lt.py', {'optim_wrapper.optimizer.lr': 0.2}).to_dict()
    assert own != config_hash(changed, 0)
    same = load_config('ltkit::erm/r8_digits_lt.py', {
        'work_dir': 'elsewhere', 'train_dataloader.num_workers': 3}).to_dict()
    assert own == config_hash(same, 0)


def test_code_of_plugins_counts(fake, monkeypatch):
    empty = SimpleNamespace(__file__=str(fake.folder / 'empty' / '__init__.py'))
    monkeypatch.setattr('ltkit.apis.benchmark.runs.ltkit', empty)
    code_hash.cache_clear()
    fake.config('')
    (fake.folder / 'a_plugin.py').write_text('STEP = 1\n')
    config = fake.folder / 'ours.py'
    config.write_text(config.read_text() + "custom_imports = dict(imports=['a_plugin'])\n")
    benchmark = load_benchmark(fake.folder / 'bench.py')
    erm, ours = plan(benchmark, reference=False)
    assert erm.code_hash == code_hash() != ours.code_hash, 'it counts for those that import it'
    (fake.folder / 'a_plugin.py').write_text('STEP = 1  # a comment\n')
    code_hash.cache_clear()
    assert plan(benchmark, reference=False) == [erm, ours]
    (fake.folder / 'a_plugin.py').write_text('STEP = 2\n')
    code_hash.cache_clear()
    assert [run.code_hash == old.code_hash for run, old in zip(plan(benchmark, reference=False), [erm, ours])] == [
        True, False]
    code_hash.cache_clear()


def test_comments_layout_and_doc_strings_are_no_code():
    source = 'def f(a):\n    """Say."""\n    return a + 1\n'
    assert code_of(source) == code_of('# more\ndef f( a ):\n    """Say it better."""\n\n    return (a + 1)\n')
    assert code_of(source) != code_of(source.replace('+ 1', '+ 2'))
    assert code_of('"""Doc."""\nx = "a"\n') != code_of('"""Doc."""\nx = "b"\n')
    assert len(code_hash()) == 8 and code_hash() == code_hash()


@pytest.mark.parametrize('value', [
    1, 0.5, True, None, 'word', [1, 2], ['a', 'b'], [dict(type='A', n=[1, 2]), dict(type='B')], dict(a=1)])
def test_options_survive_the_command_line(value):
    assert option_value(as_argument('key', value)) == value


@pytest.mark.parametrize('value', ['two words', '3', [object()], {1: 2}])
def test_options_that_cannot_are_refused(value):
    with pytest.raises(ConfigError, match=r'cfg_options key: .* cannot be given on a command line'):
        as_argument('key', value)


def test_a_test_set_of_its_own_is_evaluated_as_validation_is(data, tmp_path):
    (tmp_path / 'held_out.py').write_text(
        "_base_ = 'ltkit::erm/r8_digits_lt.py'\n"
        "val_dataloader = dict(dataset=dict(split='held_out', held_out=10))\n"
        "train_dataloader = dict(dataset=dict(held_out=10))\n")
    methods = (Method('ERM', 'ltkit::erm/r8_digits_lt.py'), Method('ours', str(tmp_path / 'held_out.py')))
    evaluator = [dict(type='LongTailAccuracy'), dict(type='Calibration')]
    erm, ours = plan(data.benchmark(methods=methods, cfg_options=dict(val_evaluator=evaluator), seeds=(0, ),
                                    imbalance_factors=(None, ), reference=False))
    assert 'test_evaluator' not in erm.options and ours.options['test_evaluator'] == evaluator


def test_a_method_in_stages_is_known_by_the_settings_of_all_of_them(fake):
    bench = fake.config('seeds = [0]')
    first = fake.folder / 'first.py'
    (fake.folder / 'ours.py').write_text("stages = [dict(name='first', config='first.py'), "
                                         "dict(name='second', config='erm.py', load_from='first')]\n")
    keys = []
    for epochs in (1, 2, 1):
        first.write_text(f"_base_ = 'ltkit::erm/r8_digits_lt.py'\ntrain_cfg = dict(max_epochs={epochs})\n")
        keys.append({run.method: run.key for run in plan(load_benchmark(bench), reference=False)})
    assert keys[0]['ours'] != keys[1]['ours'] and keys[0] == keys[2] and keys[0]['erm'] == keys[1]['erm']
