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


def test_posthoc_rules_and_a_sweep(tool, tmp_path, trained, repo_root):
    run = [repo_root / ERM, trained[0] / 'epoch_2.pth', '--work-dir', tmp_path]
    done = tool('test.py', *run, '--posthoc', 'LogitAdjustment', 'tau=0.5', '--posthoc', 'LogitAdjustment', 'tau=1')
    assert done.returncode == 0, done.stdout
    single = json.loads((tmp_path / 'test_results.json').read_text())['metrics']
    done = tool('test.py', *run, '--posthoc', 'LogitAdjustment', '--sweep', 'tau=0:1.5:0.5')
    assert done.returncode == 0, done.stdout
    sweep = json.loads((tmp_path / 'posthoc_sweep.json').read_text())['sweep']
    assert sweep[3]['value'] == 1.5 and abs(sweep[3]['metrics']['accuracy/few'] - single['accuracy/few']) < 1
    assert done.stdout.splitlines()[-2].startswith('tau=1.5')


def test_posthoc_slips_are_one_line(tool, tmp_path, repo_root):
    run = [repo_root / ERM, 'absent.pth', '--work-dir', tmp_path]
    for options, message in ((['--posthoc', 'LogitAdjustmen'], "did you mean 'LogitAdjustment'"),
                             (['--posthoc', 'LogitAdjustment', 'tua=1'], "did you mean 'tau'"),
                             (['--sweep', 'tau=0:1'], 'is not KEY=START:LAST:STEP'),
                             (['--sweep', 'tau=1'], 'a sweep needs a post-hoc rule')):
        done = tool('test.py', *run, *options)
        assert done.returncode == 2 and message in done.stdout.splitlines()[-1] and 'Traceback' not in done.stdout


def test_a_temperature_is_fitted_to_held_out_images(tool, tmp_path, trained, repo_root):
    config = repo_root / 'configs/erm/r8_digits_lt_held_out.py'
    done = tool('train.py', config, '--work-dir', tmp_path / 'run', '--cfg-options', 'train_cfg.max_epochs=2',
                'default_hooks.checkpoint.interval=2')
    assert done.returncode == 0, done.stdout
    for name, options in (('plain', []), ('fitted', ['--posthoc', 'TemperatureScaling'])):
        done = tool('test.py', config, tmp_path / 'run/epoch_2.pth', '--work-dir', tmp_path / name, *options)
        assert done.returncode == 0, done.stdout
    assert 'fitted to 100 held-out images (DigitsLT held_out): NLL ' in done.stdout
    plain, fitted = (json.loads((tmp_path / name / 'test_results.json').read_text()) for name in ('plain', 'fitted'))
    assert fitted['metrics']['accuracy/top1'] == plain['metrics']['accuracy/top1']
    assert fitted['posthoc_fit'][0]['temperature'] > 0
    before, after = fitted['posthoc_fit'][0]['nll']
    assert after <= before
    done = tool('test.py', repo_root / ERM, trained[0] / 'epoch_2.pth', '--work-dir', tmp_path / 'refused', '--posthoc',
                'TemperatureScaling')
    assert done.returncode == 2 and 'would be fitted to the test set' in done.stdout.splitlines()[-1]
    assert 'Traceback' not in done.stdout
