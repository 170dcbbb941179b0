"""Scheduling: so many at once, no run twice, nothing left behind."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from ltkit.apis.benchmark.scheduler import slots
from ltkit.apis.benchmark.workplace import read_json

WAIT = 60


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, f'waited in vain for {what}'
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def results_of(root: Path) -> dict[str, dict]:
    """What the runs of a benchmark gave, without what tells how they came about."""
    return {str(path.parent.relative_to(root)): {key: value for key, value in read_json(path).items()
                                                 if key not in ('resumed', 'seconds', 'command', 'threads')}
            for path in sorted(root.glob('r*/**/seed*/*/results.json'))}


def test_slots_of_cores_and_gpus(monkeypatch):
    monkeypatch.setattr('os.sched_getaffinity', lambda _: set(range(8)))
    monkeypatch.setattr('torch.cuda.device_count', lambda: 0)
    assert [slot['OMP_NUM_THREADS'] for slot in slots(4)] == ['2'] * 4 and len(slots()) == 8
    assert 'CUDA_VISIBLE_DEVICES' not in slots(1)[0]
    monkeypatch.setattr('torch.cuda.device_count', lambda: 2)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    assert [slot['CUDA_VISIBLE_DEVICES'] for slot in slots()] == ['0', '1']
    assert [slot['CUDA_VISIBLE_DEVICES'] for slot in slots(3)] == ['0', '1', '0']
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '3,GPU-a')
    assert [slot['CUDA_VISIBLE_DEVICES'] for slot in slots()] == ['3', 'GPU-a']


def test_so_many_at_once(fake, monkeypatch):
    fake.config('seeds = [0, 1, 2]\nreference = False', ('erm', 'ours'))
    monkeypatch.setenv('FAKE_TOGETHER', '2')
    assert fake.main('--jobs', 2) == 0
    running, most = 0, 0
    for what, _, _ in fake.events():
        running += 1 if what == 'start' else -1
        most = max(most, running)
    assert most == 2


def test_two_calls_at_once_train_each_run_once(fake):
    fake.config('seeds = [0, 1]\nreference = False')
    calls = [fake.start('--jobs', '1', FAKE_SECONDS='0.1', FAKE_LATER_SECONDS='0.1') for _ in range(2)]
    outputs = [call.communicate(timeout=WAIT)[0] for call in calls]
    assert [call.returncode for call in calls] == [0, 0], outputs
    assert len(fake.events()) == 8 and set(fake.count('start').values()) == {1}


@pytest.mark.parametrize('number, status', [
    (signal.SIGINT, 130), pytest.param(signal.SIGTERM, 130, marks=pytest.mark.slow), (signal.SIGKILL, -9)])
def test_an_end_from_outside_leaves_no_child_and_is_resumed(fake, number, status):
    fake.config('seeds = [0]\nreference = False')
    call = fake.start('--jobs', '2', FAKE_SECONDS='0.4', FAKE_LATER_SECONDS='2')
    wait_for(lambda: list(fake.work_dir.glob('runs/**/epoch_1.pth')), 'a checkpoint')
    call.send_signal(number)
    call.communicate(timeout=WAIT)
    assert call.returncode == status
    children = [pid for _, pid, _ in fake.events()]
    wait_for(lambda: not any(map(alive, children)), 'the children to end')
    call = fake.start('--jobs', '2')
    output, _ = call.communicate(timeout=WAIT)
    assert call.returncode == 0, output
    assert sum(fake.count('resume').values()) >= 1 and 'resuming' in output
    assert set(fake.count('end').values()) == {1} and len(fake.count('end')) == 2


def kill_at_random(bench, times: int) -> int:
    """Start the command and kill it (only it) at random moments, then let it end; how often it was killed."""
    draw, killed = random.Random(times), 0
    for _ in range(times):
        call = bench.start('--jobs', '2', FAKE_SECONDS='0.05', FAKE_LATER_SECONDS='0.05')
        time.sleep(draw.uniform(0.2, 6.0))
        killed += call.poll() is None
        call.send_signal(draw.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        call.communicate(timeout=WAIT)
    output, _ = (call := bench.start('--jobs', '2')).communicate(timeout=10 * WAIT)
    assert call.returncode == 0, output
    return killed


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['fake', 'real'])
def test_kills_at_random_change_nothing(kind, request):
    """``LTKIT_KILLS=20`` for more."""
    bench, kills = request.getfixturevalue(kind), int(os.environ.get('LTKIT_KILLS', '5'))
    if kind == 'fake':
        bench.config('seeds = [0, 1, 2]\nimbalance_factors = [50, 10]')
    assert kill_at_random(bench, kills)
    interrupted = results_of(bench.work_dir)
    assert len(interrupted) == (24 if kind == 'fake' else 4)
    bench.work_dir = bench.folder / 'in_one_go'
    assert bench.main('--jobs', 2) == 0
    assert interrupted == results_of(bench.work_dir)


def test_a_command_that_cannot_start_fails_the_run(fake):
    from ltkit.apis.benchmark import main
    fake.config('reference = False', ('erm', ))
    status = main([str(fake.folder / 'no_python')], [str(fake.folder / 'bench.py'), '--work-dir', str(fake.work_dir)])
    assert status == 1 and 'cannot start' in (fake.work_dir / 'index.html').read_text()
