"""``tools/dist_train.sh``: several processes on the CPU."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ltkit.datasets.split_lists import shipped_file
from ltkit.testing.stand_ins import make_image_tree
from ltkit.utils.checkpoint import read_checkpoint

SHELL = sorted((Path(__file__).resolve().parents[2] / 'tools').rglob('*.sh'))


@pytest.mark.parametrize('script', SHELL, ids=lambda path: path.name)
def test_shell_scripts_parse(script):
    assert subprocess.run(['bash', '-n', str(script)]).returncode == 0


@pytest.mark.parametrize('script, arguments', [
    ('dist_train.sh', []), ('dist_train.sh', ['config.py']), ('dist_train.sh', ['config.py', 'two']),
    ('dist_train.sh', ['config.py', '0']), ('dist_test.sh', ['config.py', 'a.pth']), ('slurm_train.sh', ['part'])])
def test_usage(tool, script, arguments):
    done = tool(script, *arguments)
    assert done.returncode == 2 and done.stdout.startswith(f'error: usage: {script}')


def test_two_processes_agree_with_one(tool, tmp_path, repo_root):
    config = repo_root / 'configs/ride/r8_digits_lt.py'
    options = ['--cfg-options', 'train_cfg.max_epochs=15', 'model.head.loss.drw.begin=2',
               'param_scheduler.1.end=15', 'param_scheduler.1.T_max=10']  # to the end of the schedule: less noise
    two = tool('dist_train.sh', config, 2, '--work-dir', tmp_path / '2', *options)
    one = tool('train.py', config, '--work-dir', tmp_path / '1', *options)
    assert one.returncode == two.returncode == 0, two.stdout
    assert 'no GPU found: 2 processes on the CPU, connected by gloo' in two.stdout
    assert 'batch of one optimiser step: 32 = 2 process(es) x 16 samples' in two.stdout
    results = [json.loads((tmp_path / name / 'results.json').read_text()) for name in '12']
    assert [result['processes'] for result in results] == [1, 2]
    # Batch normalisation sees 16 samples instead of 32: equal within noise, not exactly.
    assert abs(results[0]['metrics']['accuracy/top1'] - results[1]['metrics']['accuracy/top1']) < 6
    assert results[1]['metrics']['accuracy/top1'] > 80


@pytest.mark.slow
def test_stages_on_two_processes(tool, tmp_path, repo_root, monkeypatch):
    """They end as on one process, within noise; stopped in the second stage and started again, as if they had not."""
    config = repo_root / 'configs/decouple/crt_r8_digits_lt.py'
    options = ['--cfg-options', 'representation.train_cfg.max_epochs=30', 'representation.param_scheduler.1.end=30',
               'representation.param_scheduler.1.T_max=25', 'classifier.default_hooks.checkpoint.interval=1']
    assert tool('train.py', config, '--work-dir', tmp_path / '1', *options).returncode == 0
    assert tool('dist_train.sh', config, 2, '--work-dir', tmp_path / '2', *options).returncode == 0
    results = [json.loads((tmp_path / name / 'results.json').read_text()) for name in '12']
    assert [result['processes'] for result in results] == [1, 2]
    for stage in ('representation', 'classifier'):  # batch normalisation sees 16 samples instead of 32
        one, two = (result['stages'][stage]['metrics']['accuracy/top1'] for result in results)
        assert abs(one - two) < 6 and two > 70, (stage, one, two)
    monkeypatch.setenv('PYTHON', sys.executable)
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    command = ['bash', repo_root / 'tools/dist_train.sh', config, '2', '--work-dir', tmp_path / 'stopped', *options]
    with open(tmp_path / 'printed', 'w', encoding='utf-8') as out:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=out)
        while process.poll() is None and not (tmp_path / 'stopped/classifier/epoch_1.pth').exists():
            time.sleep(0.01)
        process.terminate()
        assert process.wait(150) == 75, (tmp_path / 'printed').read_text()[-3000:]
    done = tool('dist_train.sh', config, 2, '--work-dir', tmp_path / 'stopped', *options)
    assert done.returncode == 0 and "stage 'classifier' was interrupted and goes on from" in done.stdout, done.stdout
    again = json.loads((tmp_path / 'stopped' / 'results.json').read_text())
    assert again['metrics'] == results[1]['metrics']
    for name in ('representation/epoch_30.pth', 'classifier/epoch_10.pth'):
        expected, found = (read_checkpoint(tmp_path / folder / name)['state_dict'] for folder in ('2', 'stopped'))
        assert all(torch.equal(value, found[key]) for key, value in expected.items())


@pytest.mark.slow
def test_batch_that_processes_cannot_share(tool, tmp_path, repo_root):
    done = tool('dist_train.sh', repo_root / 'configs/erm/r8_digits_lt.py', 3, '--work-dir', tmp_path)
    assert done.returncode != 0
    assert 'batch_size is 32 for one optimiser step, which 3 processes x 1' in done.stdout


@pytest.mark.slow
def test_machines_find_each_other_by_the_environment(tool, tmp_path, repo_root, monkeypatch):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    for name, value in dict(NNODES=1, NODE_RANK=0, MASTER_ADDR='127.0.0.1', PORT=port).items():
        monkeypatch.setenv(name, str(value))
    done = tool('dist_train.sh', repo_root / 'configs/erm/r8_digits_lt.py', 2, '--work-dir', tmp_path,
                '--cfg-options', 'train_cfg.max_epochs=1')
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_ride_resnet50_on_an_imagenet_lt_tree(tool, tmp_path, repo_root):
    """From real rows of ImageNet-LT and generated JPEGs to a checkpoint that test.py evaluates."""
    rows = repo_root.parent / 'shared/data/splits/ImageNet_LT_train_90classes.txt.gz'
    source = rows if rows.is_file() else shipped_file('ImageNet_LT_val.txt')
    root = tmp_path / 'imagenet'
    make_image_tree(root, source, per_class=3, num_images=240, subset_list=tmp_path / 'train.txt')
    with gzip.open(shipped_file('ImageNet_LT_val.txt'), 'rt') as file:
        labels = {line.split()[1] for line in (tmp_path / 'train.txt').read_text().splitlines()}
        val = [line for line in file if line.split()[1] in labels][:30]
    (tmp_path / 'val.txt').write_text(''.join(val))
    make_image_tree(root, tmp_path / 'val.txt')
    options = ['--cfg-options', 'train_dataloader.batch_size=32', 'train_cfg.max_epochs=1']
    for loader, name in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        prefix = f'{loader}_dataloader'
        options += [f'{prefix}.dataset.data_root={root}', f'{prefix}.dataset.ann_file={tmp_path / name}.txt',
                    f'{prefix}.dataset.allow_empty_classes=True', f'{prefix}.num_workers=1']
    config = repo_root / 'configs/ride/r50_imagenet_lt.py'
    done = tool('dist_train.sh', config, 2, '--work-dir', tmp_path / 'work', *options, timeout=1500)
    assert done.returncode == 0, done.stdout
    tested = tool('test.py', config, tmp_path / 'work/epoch_1.pth', '--work-dir', tmp_path / 'tested', *options,
                  timeout=600)
    assert tested.returncode == 0, tested.stdout
    trained = json.loads((tmp_path / 'work/results.json').read_text())
    again = json.loads((tmp_path / 'tested/test_results.json').read_text())
    assert again['metrics']['accuracy/top1'] == pytest.approx(trained['metrics']['accuracy/top1'])
    assert trained['processes'] == 2 and sum(trained['class_counts']) == 240
    shutil.rmtree(root)
