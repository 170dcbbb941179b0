"""Benchmark configs: what they may say, and the line that names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltkit.apis.benchmark import load_benchmark
from ltkit.utils.errors import ConfigError

SHIPPED = sorted(path.name for path in (Path(__file__).resolve().parents[3] / 'configs' / 'benchmarks').glob('*.py'))
ERM = "methods = {'ERM': 'erm/r8_digits_lt.py', 'RIDE': 'ride/r8_digits_lt.py'}\n"


def load(tmp_path, text):
    path = tmp_path / 'bench.py'
    path.write_text(text)
    return load_benchmark(path)


def test_defaults(tmp_path):
    benchmark = load(tmp_path, ERM)
    assert benchmark.name == benchmark.title == 'bench' and benchmark.baseline == 'ERM'
    assert benchmark.imbalance_factors == (None, ) and benchmark.seeds == benchmark.reference_seeds == (0, )
    assert benchmark.reference and benchmark.reference_options == {
        'train_dataloader.dataset.balanced_reference': True}
    assert benchmark.methods[1].config == 'ltkit::ride/r8_digits_lt.py'


def test_methods_in_full(tmp_path):
    (tmp_path / 'mine.py').write_text("_base_ = 'ltkit::erm/r8_digits_lt.py'\n")
    benchmark = load(tmp_path, """
epochs = 3
methods = [dict(name='ERM', config='erm/r8_digits_lt.py'),
           dict(name='mine', config='mine.py', cfg_options={'train_cfg.max_epochs': epochs})]
seeds, reference_seeds = [4, 2], [7]
imbalance_factors = 50
published = ['cifar100_lt', 'cifar10_lt']
notes = '''two
lines'''
title = '''of two
lines'''
""")
    mine = benchmark.methods[1]
    assert mine.config == str(tmp_path / 'mine.py') and mine.cfg_options == {'train_cfg.max_epochs': 3}
    assert benchmark.seeds == (4, 2) and benchmark.reference_seeds == (7, )
    assert benchmark.imbalance_factors == (50, ) and benchmark.notes == 'two lines'
    assert benchmark.title == 'of two lines'
    assert benchmark.published == ('cifar100_lt', 'cifar10_lt')


@pytest.mark.parametrize('text, message', [
    ('', 'needs methods'),
    (ERM + 'sedes = [0]', r"bench.py:2: unknown top-level key 'sedes'; did you mean 'seeds'"),
    (ERM + 'seeds = [0, 0]', 'bench.py:2: seeds names a seed twice'),
    (ERM + 'seeds = [-1]', 'seeds must be whole numbers'),
    (ERM + 'seeds = []', 'seeds must be whole numbers'),
    (ERM + 'reference_seeds = [0.5]', 'reference_seeds must be whole numbers'),
    (ERM + 'imbalance_factors = [0.01]', 'bench.py:2: imbalance_factors must be numbers of at least 1'),
    (ERM + 'imbalance_factors = [10, 10]', 'names a factor twice'),
    (ERM + "baseline = 'RDE'", r"bench.py:2: baseline is 'RDE', which is none of the methods; did you mean 'RIDE'"),
    (ERM + "published = 'cifar100lt'", r"has 'cifar100lt', of which there are no figures; did you mean 'cifar100_lt'"),
    (ERM + 'reference = 1', 'reference must be True or False'),
    (ERM + 'reference_options = {}', 'bench.py:2: reference_options is empty, .* reference = False'),
    (ERM + 'cfg_options = [1]', 'cfg_options must be a dict'),
    (ERM + 'seeds = [2**32]', 'seeds must be whole numbers from 0 to 4294967295'),
    (ERM + "imbalance_factors = [float('inf')]", 'bench.py:2: imbalance_factors must be numbers of at least 1'),
    (ERM + 'import numpy\nseeds = [numpy.int64(3)]', 'bench.py:3: RuntimeError'),
    ("model = dict(type='ERM')", 'bench.py is a training config, .* a benchmark needs methods'),
    ("methods = {\n'ERM': 'erm/r8_digts_lt.py'}",
     "bench.py:2: methods 'ERM': there is no config 'erm/r8_digts_lt.py' in .* did you mean 'erm/r8_digits_lt.py'"),
    ("methods = 'erm'", 'methods must be a dict of name = config'),
    ("methods = ['erm']", "has 'erm', which is no dict"),
    ("methods = [dict(name='a')]", 'without config'),
    ("methods = [dict(name='a', config='b', conifg='c')]", "unknown key 'conifg'; did you mean 'config'"),
    ("methods = [dict(name='a', config='b', cfg_options=3)]", "cfg_options of 'a' must be a dict"),
    ("methods = [dict(name='a', config='b'), dict(name='a', config='c')]", "has 'a' twice"),
    ("methods = [\n    dict(name='a', config='b'),\n    dict(name='c', conifg='c'),\n]", "bench.py:3: .* 'conifg'"),
    ("methods = {\n    'a': 'b',\n    'c': dict(config='c', cfg_options=3),\n}", 'bench.py:3: .* must be a dict'),
])
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load(tmp_path, text + '\n')
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('name', SHIPPED)
def test_shipped_benchmark_plans(name, repo_root):
    from ltkit.apis.benchmark import plan, published_figures
    benchmark = load_benchmark(repo_root / 'configs' / 'benchmarks' / name)
    runs = plan(benchmark)
    sets = 2 if benchmark.reference else 1
    assert len(runs) == sets * len(benchmark.methods) * len(benchmark.imbalance_factors) * len(benchmark.seeds)
    assert len({run.identity for run in runs}) == len(runs)
    for published in benchmark.published:  # the baseline is called what the published figures call it
        assert benchmark.baseline in {entry['method'] for entry in published_figures(published)['entries']}


def test_the_benchmark_of_equal_classes_has_all_methods_of_the_digits(repo_root):
    digits, uniform = (load_benchmark(repo_root / 'configs' / 'benchmarks' / name)
                       for name in ('digits.py', 'digits_uniform.py'))
    assert uniform.methods == digits.methods
    assert (uniform.imbalance_factors, uniform.reference, uniform.seeds) == ((1, ), False, digits.seeds)
