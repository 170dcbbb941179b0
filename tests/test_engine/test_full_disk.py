"""A disk without room stops the run with one line; a damaged checkpoint is passed over."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

ONE, TWO = (f'train_cfg = dict(max_epochs={epochs}, val_interval={epochs})\n'
            'default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=1))' for epochs in (1, 3))


def _limited(small_run, repo_root, before: str, config, work_dir) -> subprocess.CompletedProcess:
    """``tools/train.py --resume`` after a command of the shell."""
    command = f'{before}; exec {sys.executable} {repo_root}/tools/train.py {config} --resume --work-dir {work_dir}'
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(repo_root))
    return subprocess.run(['bash', '-c', command], cwd=small_run.folder, env=env, text=True, timeout=120,
                          capture_output=True)


def _told(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    assert 'Traceback' not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_limit_of_a_file(small_run, repo_root):
    """A real failed write: the checkpoint is larger than the limit, the logs are not."""
    folder = small_run.folder / 'run'
    small_run.runner(ONE).train()
    size = (folder / 'epoch_1.pth').stat().st_size
    config = small_run.config(TWO, name='two.py')
    message = _told(_limited(small_run, repo_root, f'ulimit -f {size // 2048}', config, folder))
    assert str(folder / 'epoch_2.pth') in message and 'ulimit -f' in message
    assert f'the last good checkpoint is {folder}/epoch_1.pth' in message
    assert {path.name for path in folder.iterdir() if path.suffix in ('.pth', '.part')} == {'epoch_1.pth'}
    assert small_run.fork(config, 'run', resume=True) == 0  # once there is room
    assert json.loads((folder / 'results.json').read_text())['epoch'] == 3


@pytest.mark.parametrize('room_for_logs', [True, False])
def test_full_file_system(small_run, repo_root, room_for_logs):
    """A file system of its own that another writer has filled."""
    mount = small_run.folder / 'disk'
    mount.mkdir()
    probe = subprocess.run(['unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', str(mount)], capture_output=True)
    if probe.returncode:
        pytest.skip('no file system can be mounted here')
    small_run.runner(ONE).train()
    size = (small_run.folder / 'run' / 'epoch_1.pth').stat().st_size
    config = small_run.config(TWO, name='two.py')
    total = int(size * 1.7)
    script = small_run.folder / 'fill.sh'
    fill = '' if room_for_logs else f'cat /dev/zero > {mount}/filler 2>/dev/null\n'
    script.write_text(f'mount -t tmpfs -o size={total} none {mount}\ncp -r {small_run.folder}/run {mount}/run\n'
                      f'sync\n{fill}"$@"\nstatus=$?\n'
                      f'ls {mount}/run > {small_run.folder}/left\nexit $status\n')
    command = f'unshare -rm bash {script} {sys.executable} {repo_root}/tools/train.py {config} --resume ' \
        f'--work-dir {mount}/run'
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(repo_root))
    done = subprocess.run(command.split(), cwd=small_run.folder, env=env, text=True, capture_output=True,
                          timeout=120)
    left = (small_run.folder / 'left').read_text().split()
    assert 'epoch_1.pth' in left and not [name for name in left if name.endswith('.part')]
    assert 'epoch_2.pth' not in left
    message = _told(done)
    assert 'the disk is full' in message
    if room_for_logs:
        assert 'epoch_2.pth, which needs' in message and 'MB are free' in message
        assert 'the last good checkpoint is' in message and 'epoch_1.pth' in message


def test_damaged_last_checkpoint_is_reported_and_the_one_before_it_taken(small_run):
    text = TWO.replace('max_keep_ckpts=1', 'max_keep_ckpts=2')
    config = small_run.config(text)
    assert small_run.fork(config, 'straight') == 0
    folder = small_run.folder / 'damaged'
    assert small_run.fork(config, 'damaged', train_cfg__max_epochs=2) == 0
    whole = (folder / 'epoch_2.pth').read_bytes()
    (folder / 'epoch_2.pth').write_bytes(whole[:len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    done = small_run.tool('train.py', config, '--work-dir', folder, '--resume')
    printed = done.stdout + done.stderr
    assert 'epoch_2.pth' in printed and 'truncated or not a checkpoint' in printed
    assert 'trying the checkpoint before it' in printed and 'resumed epoch: 1' in printed
    same = [json.loads((small_run.folder / name / 'results.json').read_text())['metrics']
            for name in ('straight', 'damaged')]
    assert same[0] == same[1]
