"""Second stages in a benchmark: one training of the first stage, shared; tables method x stage."""

from __future__ import annotations

import json

import pytest

from ltkit.apis import train
from ltkit.apis.arguments import option_value
from ltkit.apis.benchmark import load_benchmark, plan
from ltkit.apis.benchmark.runs import only_methods
from ltkit.apis.benchmark.second_stages import check_hand_overs, crossed_html, crossed_markdown
from ltkit.config import load_config
from ltkit.testing.one_step import on_stand_in
from ltkit.utils.errors import ConfigError

STAGES = ("second_stages = {'NCM': 'decouple/ncm_r8_digits_lt_classifier.py', "
          "'cRT': 'decouple/crt_r8_digits_lt_classifier.py'}\n")
LWS = "second_stages = {'LWS': 'decouple/lws_r8_digits_lt_classifier.py'}\n"
NO_BIAS = {'model.head.classifier.bias': False, 'frozen.parameters': ['backbone', 'head.classifier.weight']}


def bench(fake, text, methods=('erm', 'ours'), **changes):
    fake.config('', methods)
    path = fake.folder / 'bench.py'
    entries = {name: changes.get(name, f'{name}.py') for name in methods}
    path.write_text(f'methods = {entries!r}\nreference = False\n{text}\n')
    return load_benchmark(path)


def folder_of(run):
    return f'runs/{run.folder}'


def test_each_method_is_followed_by_its_second_stages(fake):
    ours = dict(config='ours.py', second_stages={'NCM': None, 'cRT': dict(cfg_options={'train_cfg.max_epochs': 3})})
    methods = {method.name: method for method in bench(fake, STAGES, ours=ours).methods}
    assert list(methods) == ['erm', 'erm + NCM', 'erm + cRT', 'ours', 'ours + cRT']
    assert (methods['erm'].first, methods['erm'].stage) == (None, None)
    crt = methods['ours + cRT']
    assert (crt.first, crt.stage, crt.cfg_options) == ('ours', 'cRT', {'train_cfg.max_epochs': 3})
    assert crt.config == methods['erm + cRT'].config == 'ltkit::decouple/crt_r8_digits_lt_classifier.py'


@pytest.mark.parametrize('text, ours, message', [
    ("second_stages = {'cRT': 'decouple/crt_r8_digit_lt_classifier.py'}", 'ours.py',
     r"bench.py:3: second_stages 'erm \+ cRT': there is no config .* did you mean 'decouple/crt_r8_digits_lt_classi"),
    ("second_stages = {'cRT': dict(conifg='erm.py')}", 'ours.py',
     "bench.py:3: second_stages has a second stage with the unknown key 'conifg'; did you mean 'config'"),
    ("second_stages = 'erm.py'", 'ours.py', 'bench.py:3: second_stages must be a dict of name = config'),
    (STAGES, dict(config='ours.py', second_stages={'CRT': None}),
     "methods 'ours' has a second stage 'CRT', which is none of second_stages; did you mean 'cRT'"),
    (STAGES, dict(config='ours.py', second_stages=['cRT']), "second_stages of 'ours' must be a dict of name = config"),
])
def test_what_is_wrong_is_named(fake, text, ours, message):
    with pytest.raises(ConfigError, match=message) as caught:
        bench(fake, text, ours=ours)
    assert '\n' not in str(caught.value)


def test_a_second_stage_is_of_the_run_that_it_begins_from(fake):
    benchmark = bench(fake, STAGES + 'seeds = [0, 1]')
    runs = plan(benchmark)
    assert len(runs) == 12 == len({run.identity for run in runs})
    by_name = {(run.method, run.seed): run for run in runs}
    for (name, seed), run in by_name.items():
        first = name.partition(' + ')[0]
        assert run.source is (None if name == first else by_name[first, seed])
        assert run.source is None or runs.index(run.source) < runs.index(run)
    erm, ours = by_name['erm + cRT', 0], by_name['ours + cRT', 0]
    assert erm.config == ours.config and erm.config_hash != ours.config_hash
    options = [option_value(text.partition('=')[2]) for text in erm.arguments('w', False, 'a/epoch_3.pth')[-2:]]
    assert options == ['a/epoch_3.pth', True]
    assert {run.method for run in only_methods(benchmark, runs, ['ours + NCM'])} == {'ours', 'ours + NCM'}


def test_the_first_stage_is_trained_once_and_shared(fake):
    bench(fake, STAGES)
    assert fake.main('--jobs', 2) == 0
    order = [(what, run) for what, _, run in fake.events()]
    starts = [run for what, run in order if what == 'start']
    assert len(order) == 12 and len(set(starts)) == 6
    for run in (run for run in starts if 'load_from=' in run):
        first = next(name for name in ('erm', 'ours') if f'_{name}/config/seed0/' in run)
        assert order.index(('end', f'{first} 0')) < order.index(('start', run))
        assert run.endswith('/epoch_1.pth hand_over=True')
    assert fake.main() == 0
    assert len(fake.events()) == 12, 'a finished run was started again'
    report = json.loads((fake.work_dir / 'results.json').read_text())
    rows = {row['method']: row for row in report['rows']}
    assert list(rows) == ['erm', 'erm + NCM', 'erm + cRT', 'ours', 'ours + NCM', 'ours + cRT']
    own, first = (rows[name]['metrics']['top1']['mean'] for name in ('ours + NCM', 'ours'))
    assert rows['ours + NCM']['gain']['mean'] == pytest.approx(own - first) and 'gain' not in rows['ours']
    text = (fake.work_dir / 'table.md').read_text()
    assert 'Δ joint' in text and '### top-1' in text and '| method | joint | NCM | cRT |' in text
    assert 'Δ joint' in (fake.work_dir / 'table.tex').read_text().replace(r'$\Delta$', 'Δ')
    page = (fake.work_dir / 'index.html').read_text()
    assert all(f'<th>{name}</th>' in page for name in ('joint', 'NCM', 'cRT'))


def test_what_begins_from_a_failed_run_fails_with_it_and_the_others_go_on(fake):
    bench(fake, "second_stages = {'more': 'ours.py'}", ('erm', 'fails', 'ours'))
    assert fake.main('--jobs', 1) == 1
    assert len(fake.count('end')) == 4, 'erm, ours and what begins from them'
    runs = {run['method']: run for run in json.loads((fake.work_dir / 'results.json').read_text())['runs']}
    assert runs['fails + more']['error'] == 'fails, seed 0, from which it begins, has not finished'
    assert runs['erm + more']['status'] == 'finished'
    assert fake.main('--jobs', 1) == 1 and fake.count('resume') == {'fails 0': 1}


def test_a_second_stage_that_failed_is_resumed_and_the_first_is_not_trained_again(fake):
    bench(fake, "second_stages = {'more': 'fails.py'}", ('erm', 'fails'))
    assert fake.main('--only', 'erm + more') == 1
    assert fake.main('--only', 'erm + more') == 1
    (resumed, times), = fake.count('resume').items()
    assert resumed.startswith('fails 0 load_from=') and times == 1
    assert fake.count('start') == {'erm 0': 1, resumed: 1}


def test_of_two_names_of_one_first_stage_it_is_trained_once(fake):
    bench(fake, "second_stages = {'more': 'ours.py'}", ('erm', 'ours'), ours='erm.py')
    assert fake.main() == 0
    assert len(fake.events()) == 4


def test_a_second_stage_that_does_not_fit_is_told_before_a_run(fake):
    bench(fake, LWS, ('erm', 'ours'), ours='ltkit::ldam/r8_digits_lt.py')
    message = r"bench.py: methods 'ours \+ LWS': head.classifier.bias is frozen, but not handed over from 'ours'"
    with pytest.raises(ConfigError, match=message):
        fake.main()
    assert not fake.events()
    ldam = dict(config='ltkit::ldam/r8_digits_lt.py', second_stages={'LWS': dict(cfg_options=NO_BIAS)})
    benchmark = bench(fake, LWS, ours=ldam)
    check_hand_overs(plan(benchmark), benchmark.file, folder_of)
    fake.work_dir = fake.folder / 'with, a comma'
    with pytest.raises(ConfigError, match='on a command line, which cannot say it; give another --work-dir'):
        fake.main()


@pytest.mark.parametrize('text, ours, words', [
    (STAGES, 'ltkit::decouple/crt_r8_digits_lt.py', r"crt_r8_digits_lt\.py trains in stages itself.*=\{'NAME': None"),
    ("second_stages = {'cRT': 'decouple/crt_r8_digits_lt.py'}", 'ours.py', r'crt_r8_digits_lt\.py trains in stages i'),
    (STAGES, dict(config='ours.py', cfg_options={'default_hooks.checkpoint.save_last': False}),
     r"'ours' does not save what it ends with .* but 'ours \+ NCM' begins from it"),
])
def test_a_first_stage_that_leaves_no_weights_is_told_before_a_run(fake, text, ours, words):
    bench(fake, text, ours=ours)
    with pytest.raises(ConfigError, match=words):
        fake.main()
    assert not fake.events()


def test_the_options_of_a_second_stage_hand_the_weights_over(fake, tmp_path):
    erm, crt = plan(bench(fake, STAGES, ('erm', )))[::2]
    first, second = (on_stand_in(load_config(run.config, options), tmp_path / 'data', batch_size=4)
                     for run, options in ((erm, {}), (crt, dict(load_from=str(tmp_path / 'erm/epoch_1.pth'),
                                                                hand_over=True))))
    for config, name in ((first, 'erm'), (second, 'crt')):
        config.work_dir = str(tmp_path / name)
        train(config)
    log = next((tmp_path / 'crt').glob('*/*.log')).read_text()
    assert 'weights handed over from' in log and 'newly made: head.classifier.weight (10, 64)' in log


def test_crossed_tables():
    def row(method, top1, **more):
        return dict(method=method, metrics=dict(top1=dict(mean=top1, std=1.0, n=2)), **more)
    rows = [row('a', 50.0), row('a + x', 60.0, first='a', stage='x'), row('b', 55.0),
            dict(method='b + x', metrics={}, first='b', stage='x'), row('c', 40.0)]
    lines = crossed_markdown(rows).splitlines()
    assert '| a | 50.00 ± 1.00 | **60.00 ± 1.00** |' in lines and '| b | 55.00 ± 1.00 | unverified |' in lines
    assert '| c | 40.00 ± 1.00 | - |' in lines
    assert '<td class="best" data-value="60">60.00' in crossed_html(rows)
    assert crossed_markdown(rows[:1]) == crossed_html(rows[:1]) == ''
