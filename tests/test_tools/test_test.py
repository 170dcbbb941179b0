"""``tools/test.py``."""

from __future__ import annotations

import json

ERM = 'configs/erm/r8_digits_lt.py'


def test_gives_the_metrics_of_training(tool, tmp_path, trained, repo_root):
    folder, _ = trained
    done = tool('test.py', repo_root / ERM, folder / 'epoch_2.pth', '--work-dir', tmp_path)
    assert done.returncode == 0, done.stdout
    tested = json.loads((tmp_path / 'test_results.json').read_text())
    trained_metrics = json.loads((folder / 'results.json').read_text())['metrics']
    for key, value in trained_metrics.items():
        if key.startswith('accuracy/'):
            assert tested['metrics'][key] == value
    assert 'many > 40, few < 10' in done.stdout and 'test set after 2 epochs' in done.stdout


def test_two_processes_count_every_sample_once(tool, tmp_path, trained, repo_root):
    folder, _ = trained
    one = tool('test.py', repo_root / ERM, folder / 'epoch_2.pth', '--work-dir', tmp_path / '1',
               '--cfg-options', 'test_dataloader.batch_size=33')
    two = tool('dist_test.sh', repo_root / ERM, folder / 'epoch_2.pth', 2, '--work-dir', tmp_path / '2',
               '--cfg-options', 'test_dataloader.batch_size=33')
    assert one.returncode == two.returncode == 0, two.stdout
    results = [json.loads((tmp_path / name / 'test_results.json').read_text()) for name in '12']
    assert results[0]['per_class_accuracy'] == results[1]['per_class_accuracy']
    assert [result['processes'] for result in results] == [1, 2]


def test_checkpoint_of_another_model(tool, tmp_path, trained, repo_root):
    done = tool('test.py', repo_root / 'configs/ride/r8_digits_lt.py', trained[0] / 'epoch_2.pth',
                '--work-dir', tmp_path)
    assert done.returncode == 2 and 'is of another model' in done.stdout.splitlines()[-1]


def test_missing_checkpoint(tool, tmp_path, repo_root):
    done = tool('test.py', repo_root / ERM, 'absent.pth', '--work-dir', tmp_path)
    assert done.returncode == 2 and done.stdout.splitlines()[-1] == 'error: no checkpoint at absent.pth'
