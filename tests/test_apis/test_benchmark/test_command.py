"""The command: runs everything once, goes on where it stopped, reports what failed."""

from __future__ import annotations

import json

import pytest

from ltkit.utils.errors import ConfigError


def test_runs_everything_once_and_writes_the_report(fake, capsys):
    fake.config('seeds = [0, 1]')
    assert fake.main('--jobs', 2) == 0
    assert len(fake.count('start')) == 8 and set(fake.count('end').values()) == {1}
    report = json.loads((fake.work_dir / 'results.json').read_text())
    assert [row['metrics']['top1']['n'] for row in report['rows']] == [2, 2]
    ours = report['rows'][1]
    assert ours['metrics']['ra']['mean'] == pytest.approx(
        100 * ours['metrics']['top1']['mean'] / max(ours['a_v']['mean'], ours['a_b']['mean']))
    assert {'table.md', 'table.tex', 'index.html', 'plots'} <= {path.name for path in fake.work_dir.iterdir()}
    assert 'index.html' in capsys.readouterr().out
    assert fake.main('--jobs', 2) == 0
    assert len(fake.events()) == 16, 'a finished run was started again'


def test_a_failed_run_is_reported_and_the_others_go_on(fake, capsys):
    fake.config('seeds = [0]\nreference = False', ('erm', 'fails', 'ours'))
    assert fake.main('--jobs', 1) == 1
    assert set(fake.count('end')) == {'erm 0', 'ours 0'}
    report = json.loads((fake.work_dir / 'results.json').read_text())
    failed = next(run for run in report['runs'] if run['method'] == 'fails')
    assert failed['status'] == 'failed' and 'the loss is not finite' in failed['error']
    assert 'exit status 1' in failed['error']
    assert 'the loss is not finite' in (fake.work_dir / 'index.html').read_text()
    assert 'failed' in capsys.readouterr().out
    assert fake.main('--jobs', 1) == 1
    assert fake.count('resume') == {'fails 0': 1}, 'a failed run is tried again, and nothing else'


def test_only_some_methods_and_seeds(fake):
    fake.config('seeds = [0, 1]')
    assert fake.main('--only', 'ours', '--seeds', 3) == 0
    balanced = 'train_dataloader.dataset.balanced_reference=True'
    assert set(fake.count('end')) == {'ours 3', f'ours 3 {balanced}', f'erm 3 {balanced}'}
    rows = json.loads((fake.work_dir / 'results.json').read_text())['rows']
    assert [row['status'] for row in rows] == ['unverified', 'finished']
    assert rows[1]['metrics']['ra']['n'] == 1
    assert json.loads((fake.work_dir / 'results.json').read_text())['seeds'] == [3], 'those of the command line'
    with pytest.raises(ConfigError, match=r"--only our: .* did you mean 'ours'"):
        fake.main('--only', 'our')
    with pytest.raises(ConfigError, match='twice'):
        fake.main('--seeds', 1, 1)


def test_no_reference_and_imbalance_factors(fake):
    fake.config('imbalance_factors = [50, 10]')
    assert fake.main('--no-reference') == 0
    assert set(fake.count('end')) == {f'{name} 0 train_dataloader.dataset.imbalance_factor={factor}'
                                      for name in ('erm', 'ours') for factor in (50, 10)}
    text = (fake.work_dir / 'table.md').read_text()
    assert 'imbalance factor 50' in text and 'imbalance factor 10' in text and 'RA' not in text


def test_report_only_starts_nothing_and_says_unverified(fake):
    fake.config('')
    assert fake.main('--report-only') == 0
    assert not fake.events()
    assert 'unverified' in (fake.work_dir / 'table.md').read_text()
    assert 'unverified' in (fake.work_dir / 'index.html').read_text()


def test_report_shows_runs_of_other_code_and_says_so(fake, monkeypatch):
    fake.config('reference = False')
    assert fake.main() == 0
    monkeypatch.setattr('ltkit.apis.benchmark.runs.code_hash', lambda *_: '00000000')
    assert fake.main('--report-only') == 0
    report = json.loads((fake.work_dir / 'results.json').read_text())
    assert all(run['other_code'] and run['code_hash'] != '00000000' for run in report['runs'])
    assert report['rows'][0]['other_code']
    assert '<th>erm <span class="badge other-code">' in (fake.work_dir / 'index.html').read_text()
    assert 'runs of other code than the present: erm, ours.' in (fake.work_dir / 'table.md').read_text()
    assert fake.main() == 0, 'and to run is to run again'
    assert set(fake.count('end').values()) == {2}


def test_of_two_names_of_one_run_the_first_is_shown(fake, capsys):
    fake.config('')
    (fake.folder / 'bench.py').write_text("methods = {'first': 'erm.py', 'second': 'erm.py'}\nreference = False\n")
    assert fake.main() == 0
    assert len(fake.events()) == 2 and 'finished first, seed 0' in capsys.readouterr().out


def test_names_are_shown_as_they_are(fake, capsys):
    fake.config('')
    (fake.folder / 'bench.py').write_text(
        "title = 'T [/b] :x:'\nmethods = {'a [bold] :x:': 'erm.py', '[/i]': 'ours.py'}\n")
    assert fake.main('--report-only') == 0
    shown = capsys.readouterr().out
    assert 'T [/b] :x:' in shown and 'a [bold] :x:' in shown and '[/i]' in shown


def test_references_can_be_shared(fake, tmp_path):
    fake.config('')
    assert fake.main('--references', tmp_path / 'shared') == 0
    fake.work_dir = tmp_path / 'another'
    assert fake.main('--references', tmp_path / 'shared') == 0
    assert sorted(fake.count('end').values()) == [1, 1, 2, 2], 'references once, methods twice'


def test_timeout_stops_a_run_which_is_then_resumed(fake, monkeypatch):
    fake.config('reference = False', ('erm',))
    monkeypatch.setenv('FAKE_LATER_SECONDS', '600')
    assert fake.main('--timeout', 3) == 1
    assert 'stopped after 3 s' in (fake.work_dir / 'index.html').read_text()
    monkeypatch.setenv('FAKE_LATER_SECONDS', '0')
    assert fake.main() == 0
    assert fake.count('resume') == {'erm 0': 1}


@pytest.mark.parametrize('arguments, message', [
    (('--seeds', -1), '--seeds: must be a whole number from 0'),
    (('--timeout', 0), '--timeout: must be a number of seconds above 0, but is 0'),
    (('--timeout', 'nan'), '--timeout: must be a number of seconds above 0, but is nan'),
    (('--timeout', 'x'), '--timeout: must be a number of seconds above 0, but is x'),
    (('--jobs', 'x'), '--jobs: must be a whole number from 1'),
])
def test_wrong_numbers_are_refused(fake, capsys, arguments, message):
    fake.config('')
    with pytest.raises(SystemExit):
        fake.main('--report-only', *arguments)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('option', ['--work-dir', '--references'])
def test_a_folder_that_cannot_be_made_is_told_before_a_run(fake, option):
    fake.config('')
    with pytest.raises(ConfigError, match=f'log.txt is not a folder; give another {option}$'):
        fake.main(option, fake.log)
    assert not fake.events()
