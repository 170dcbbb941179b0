"""The ratio of training steps, by a clock that the test turns, and the file and column that come of it."""

from __future__ import annotations

import json

import pytest

from ltkit.apis.benchmark import load_benchmark, plan
from ltkit.apis.benchmark.step_times import STEP_TIMES, alternate, ratio_of, slowdowns
from ltkit.apis.benchmark.workplace import write_json
from ltkit.utils.errors import ConfigError

KEYS = {
    'ratio', 'quartiles', 'range', 'seconds_per_iteration', 'baseline_seconds_per_iteration', 'rounds', 'iterations',
    'factor', 'seed', 'config', 'config_hash', 'baseline_config_hash', 'threads', 'command', 'device', 'commit',
    'ltkit', 'torch', 'python'}  # fmt: skip


class Machine:
    """Steps that take the time a test says, and the clock that sees it pass."""

    def __init__(self) -> None:
        self.now, self.turns = 0.0, []

    def clock(self) -> float:
        return self.now

    def steps(self, name, seconds):
        """Steps of ``seconds(turn)`` each."""
        def take(count: int) -> None:
            self.now += count * seconds(sum(turn == name for turn in self.turns))
            self.turns.append(name)
        return take


def measured(own, baseline, rounds=9, iterations=4):
    machine = Machine()
    seconds = alternate([machine.steps('own', own), machine.steps('baseline', baseline)], rounds, iterations,
                        machine.clock)
    return seconds, machine


def test_turns_are_paired_and_the_first_round_is_warm_up():
    (own, baseline), machine = measured(lambda turn: 100.0 if turn == 0 else 3.0, lambda turn: 2.0, rounds=3)
    assert own == [12.0] * 3 and baseline == [8.0] * 3
    assert machine.turns == ['baseline', 'own', 'own', 'baseline'] * 2, 'none is always the first'


def test_a_machine_that_slows_down_changes_no_ratio():
    seconds, _ = measured(lambda turn: 1.5 * 2.0**turn, lambda turn: 2.0**turn)
    assert ratio_of(*seconds) == dict(ratio=1.5, quartiles=[1.5, 1.5], range=[1.5, 1.5])


def test_a_disturbed_round_moves_the_range_alone():
    seconds, _ = measured(lambda turn: 30.0 if turn == 4 else 3.0, lambda turn: 20.0 if turn == 6 else 2.0)
    assert ratio_of(*seconds) == dict(ratio=1.5, quartiles=[1.5, 1.5], range=[0.15, 15.0])


def test_median_quartiles_and_range():
    assert ratio_of([1.0, 2.0, 3.0, 4.0, 10.0], [1.0, 1.0, 1.0, 1.0, 2.0]) == dict(
        ratio=3.0, quartiles=[2.0, 4.0], range=[1.0, 5.0])
    assert ratio_of([2.0], [3.0]) == dict(ratio=0.6667, quartiles=[0.6667, 0.6667], range=[0.6667, 0.6667])


def test_times_count_for_the_configs_that_they_were_measured_with(tmp_path, data):
    runs = [data.record(name, 0, None, config_hash=name) for name in ('ERM', 'ours', 'never_ran')]
    runs = [type('Run', (), run) for run in runs]
    ours = dict(ratio=1.5, config_hash='ours', baseline_config_hash='ERM')
    assert slowdowns(tmp_path, 'ERM', runs) == {}
    for entry, found in ((ours, {'ERM': dict(ratio=1.0), 'ours': ours}), (dict(ours, config_hash='old'), {}),
                         (dict(ours, baseline_config_hash='old'), {})):
        write_json(tmp_path / STEP_TIMES, dict(baseline='ERM', methods=dict(ours=entry, gone=ours)))
        assert slowdowns(tmp_path, 'ERM', runs) == found
    assert slowdowns(tmp_path, 'ours', runs) == {}, 'of another baseline'


def times(fake):
    return json.loads((fake.work_dir / STEP_TIMES).read_text())


def test_file_and_column(fake, capsys):
    fake.config('imbalance_factors = [50]', ('erm', 'ours', 'third'))
    tiny = ('--time-steps', '--rounds', 2, '--iterations', 1)
    assert fake.main(*tiny, '--only', 'ours') == 0
    found = times(fake)
    assert found['baseline'] == 'erm' and set(found['methods']) == {'ours'}
    entry = found['methods']['ours']
    assert set(entry) == KEYS and entry['ratio'] > 0 and entry['seconds_per_iteration'] > 0
    assert (entry['rounds'], entry['iterations'], entry['factor'], entry['seed']) == (2, 1, 50, 0)
    assert '[1/1] ours: ' in capsys.readouterr().out
    assert [path.name for path in fake.work_dir.iterdir()] == [STEP_TIMES] and not fake.events(), 'nothing is trained'

    assert fake.main('--report-only') == 0
    table = (fake.work_dir / 'table.md').read_text()
    assert '| s/iter ÷ erm |' in table and '(step_times.json)' in table
    lines = [next(line for line in table.splitlines() if f'| {name} |' in line) for name in ('erm', 'ours', 'third')]
    assert [line.split(' | ')[-2] for line in lines] == ['1.00', f'{entry["ratio"]:.2f}', '-']
    for name in ('table.tex', 'index.html'):
        assert 'step_times.json' in (fake.work_dir / name).read_text().replace(r'\_', '_')

    assert fake.main(*tiny, '--only', 'third') == 0
    assert times(fake)['methods']['ours'] == entry and set(times(fake)['methods']) == {'ours', 'third'}


def test_what_cannot_be_timed_is_one_line(fake):
    path = fake.config('', ('erm', 'ours'))
    with pytest.raises(ConfigError, match=r"--only our: .* did you mean 'ours'"):
        fake.main('--time-steps', '--only', 'our')
    with pytest.raises(ConfigError, match="there is no method to time against 'erm'"):
        fake.main('--time-steps', '--only', 'erm')
    with pytest.raises(ConfigError, match="methods 'ours' cannot be timed: its training has 18 iterations, fewer than "
                                          'the 130 to be timed; lower --rounds or --iterations'):
        fake.main('--time-steps')
    assert len(plan(load_benchmark(path))) == 4 and not (fake.work_dir / STEP_TIMES).exists()


def test_a_report_and_times_are_two_calls(fake, capsys):
    fake.config('')
    with pytest.raises(SystemExit):
        fake.main('--time-steps', '--report-only')
    assert 'not allowed with argument' in capsys.readouterr().err
