"""``tools/train.py``: what it prints and leaves, and what bad input gets."""

from __future__ import annotations

import json
import os
import pickle

import pytest
import torch

ERM = 'configs/erm/r8_digits_lt.py'


def refused(done, *parts):
    """The run ended with status 2 and one line that has the parts; no traceback."""
    assert done.returncode == 2, done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith('error: ')]
    assert len(lines) == 1, done.stdout
    assert 'Traceback' not in done.stdout
    for part in parts:
        assert part in lines[0], lines[0]


def test_prints_progress_and_a_final_table(trained):
    _, printed = trained
    assert 'batch of one optimiser step: 32 = 1 process(es) x 32 samples' in printed
    assert 'learning rate 0.1' in printed
    assert 'eta:' in printed
    assert 'many > 40, few < 10 training samples' in printed.splitlines()[-1]
    heads = [line.split()[:2] for line in printed.splitlines()[-8:]]
    assert ['top-1', 'top-5'] in heads


def test_leaves_results_with_what_made_them(trained):
    folder, _ = trained
    results = json.loads((folder / 'results.json').read_text())
    assert results['seed'] == 0 and results['processes'] == 1 and results['epoch'] == 2
    assert results['class_counts'] == [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
    assert len(results['per_class_accuracy']) == 10
    assert (folder / 'r8_digits_lt.py').is_file() and (folder / 'epoch_2.pth').is_file()


def test_default_work_dir_names_method_and_config(tool, tmp_path, repo_root):
    done = tool('train.py', repo_root / ERM, '--seed', 3, '--cfg-options', 'train_cfg.max_epochs=1')
    assert done.returncode == 0, done.stdout
    results = json.loads((tmp_path / 'work_dirs/erm/r8_digits_lt/results.json').read_text())
    assert results['seed'] == 3


def test_amp_trains_on_the_cpu(tool, tmp_path, repo_root):
    done = tool('train.py', repo_root / ERM, '--amp', '--work-dir', tmp_path, '--cfg-options', 'train_cfg.max_epochs=1')
    assert done.returncode == 0, done.stdout
    assert 'CPUAmpOptimWrapper' in done.stdout or 'AmpOptimWrapper' in done.stdout


def test_bf16_and_compile_by_flags(tool, tmp_path, repo_root):
    done = tool('train.py', repo_root / ERM, '--amp', 'bf16', '--compile', '--work-dir', tmp_path, '--cfg-options',
                'train_cfg.max_epochs=1', 'compile.backend=eager')
    assert done.returncode == 0, done.stdout
    assert 'AmpOptimWrapper' in done.stdout and 'the model is compiled at its first steps' in done.stdout


def test_a_config_of_the_package_from_anywhere(tool, tmp_path):
    done = tool('train.py', 'ltkit::balanced_softmax/r8_digits_lt.py', '--work-dir', tmp_path,
                '--cfg-options', 'train_cfg.max_epochs=1')
    assert done.returncode == 0, done.stdout


def test_resume_continues(tool, tmp_path, repo_root):
    options = ['--work-dir', tmp_path, '--cfg-options', 'default_hooks.checkpoint.interval=1']
    assert tool('train.py', repo_root / ERM, *options, 'train_cfg.max_epochs=1').returncode == 0
    done = tool('train.py', repo_root / ERM, '--resume', *options, 'train_cfg.max_epochs=2')
    assert done.returncode == 0 and 'resumed epoch: 1' in done.stdout, done.stdout


@pytest.mark.parametrize('options, parts', [
    (['--resume'], ['nothing to resume', 'leave --resume out']),
    (['--resume', 'absent.pth'], ['no checkpoint at absent.pth']),
    (['--cfg-options', 'model.head.num_classes=12'], ['num_classes is 12', '10 classes']),
    (['--cfg-options', 'model.head.loss.type=SoftmaxLos'], ['SoftmaxLos', "'SoftmaxLoss'"]),
    (['--cfg-options', 'model.head.los.type=SoftmaxLoss'], ["'los'", "'loss'"]),
    (['--cfg-options', 'default_hoks.timer=None'], ["'default_hoks'", "'default_hooks'"]),
    (['--cfg-options', 'train_dataloader.batch_size=0'], ['batch_size must be a whole number from 1 on']),
    (['--cfg-options', 'model.head'], ["'model.head' is not KEY=VALUE"]),
    (['--cfg-options', 'train_dataloader.dataset.split=tset'], ['tset', 'train']),
    (['--cfg-options', 'optim_wrapper.optimizer.lr=1e30'], ['not finite at iteration', 'loss=', 'learning rate']),
    (['--launcher', 'slurm'], ['SLURM_PROCID']),
])
def test_one_clear_line(tool, tmp_path, repo_root, options, parts):
    refused(tool('train.py', repo_root / ERM, '--work-dir', tmp_path / 'out', *options), *parts)


def test_missing_config(tool):
    refused(tool('train.py', 'absent.py'), 'absent.py')


def test_missing_data_says_what_was_looked_for(tool, tmp_path, repo_root):
    done = tool('train.py', repo_root / 'configs/erm/r32_cifar100_lt.py', '--work-dir', tmp_path)
    refused(done, 'CIFAR100LT', 'cifar-100-python', 'ln -s')


def test_truncated_checkpoint(tool, tmp_path, trained, repo_root):
    whole = (trained[0] / 'epoch_2.pth').read_bytes()
    (tmp_path / 'cut.pth').write_bytes(whole[:len(whole) // 2])
    done = tool('train.py', repo_root / ERM, '--resume', 'cut.pth', '--work-dir', tmp_path)
    refused(done, 'cut.pth', 'truncated')


class Foreign:
    """Unpickling it would make a folder."""

    def __reduce__(self):
        return os.mkdir, ('foreign_code_ran',)


def test_foreign_pickle_is_refused_and_not_run(tool, tmp_path, repo_root):
    torch.save(dict(state_dict={}, meta=Foreign()), tmp_path / 'foreign.pth')
    done = tool('train.py', repo_root / ERM, '--resume', 'foreign.pth', '--work-dir', tmp_path)
    refused(done, 'foreign.pth', 'refused', 'mkdir')
    (tmp_path / 'bare.pth').write_bytes(pickle.dumps(Foreign()))
    refused(tool('test.py', repo_root / ERM, 'bare.pth', '--work-dir', tmp_path), 'bare.pth')
    assert not (tmp_path / 'foreign_code_ran').exists()


def test_plugin_that_fails_shows_its_own_error(tool, tmp_path, repo_root):
    (tmp_path / 'broken_plugin.py').write_text('import numpy\nmissing_name\n')
    (tmp_path / 'child.py').write_text("_base_ = 'ltkit::erm/r8_digits_lt.py'\n"
                                       "custom_imports = dict(imports=['broken_plugin'])\n")
    refused(tool('train.py', 'child.py'), 'broken_plugin', 'missing_name', 'broken_plugin.py:2')


def test_variable_set_in_vain(tool, tmp_path):
    (tmp_path / 'child.py').write_text("_base_ = 'ltkit::erm/r50_imagenet_lt.py'\ntest_pipeline = []\n")
    refused(tool('train.py', 'child.py'), 'child.py:2', 'test_pipeline')


def test_one_bad_image_in_a_worker_names_path_and_line(tool, tmp_path):
    from ltkit.testing.stand_ins import make_image_list, make_image_tree
    make_image_list(tmp_path / 'list.txt', [3, 2])
    rows = make_image_tree(tmp_path, tmp_path / 'list.txt')
    (tmp_path / rows[3][0]).write_bytes(b'not an image')
    (tmp_path / 'child.py').write_text(
        "_base_ = 'ltkit::erm/r10_imagenet_lt.py'\nmodel = dict(head=dict(num_classes=2))\n"
        "train_dataloader = dict(batch_size=5, num_workers=1, dataset=dict(type='ImageListDataset', "
        "data_root='.', ann_file='list.txt'))\n"
        'val_dataloader = None\nval_cfg = None\nval_evaluator = None\n')
    refused(tool('train.py', 'child.py'), rows[3][0], 'list.txt:4')
