"""Tests of the batched data path in a run."""

from __future__ import annotations

import pytest
import torch

from ltkit.config import load_config
from ltkit.datasets.in_memory import InMemoryDataLoader
from ltkit.engine import Runner
from ltkit.engine.data import has_test_set_of_its_own, pipeline_of, with_pipeline
from ltkit.utils.errors import ConfigError

BOTH = 'train_dataloader = dict(in_memory=True)\nval_dataloader = dict(in_memory=True)\n'
PLAIN = BOTH.replace('True', 'False')
SHORT = 'train_cfg = dict(max_epochs=2, val_interval=2)\n'
AUGMENTED = "train_dataloader = dict(in_memory=True, dataset=dict(pipeline=[dict(type='torchvision/RandomCrop', " \
    "size=8, padding=1), dict(type='Cutout', size=3), dict(type='PackInputs')]))\n"


def weights(runner: Runner) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in runner.model.state_dict().items()}


def test_one_line_trains_the_same_model(small_run):
    """Without augmentation the two data paths give the same batches, so the same weights."""
    results = []
    for name, text in dict(plain=PLAIN, fast=BOTH).items():
        runner = small_run.runner(SHORT + text, work_dir=name)
        runner.train()
        assert isinstance(runner.train_dataloader, InMemoryDataLoader) == (name == 'fast')
        assert isinstance(runner.val_dataloader, InMemoryDataLoader) == (name == 'fast')
        results.append((weights(runner), runner.val_loop.run()))
    assert all(torch.equal(value, results[1][0][key]) for key, value in results[0][0].items())
    assert results[0][1] == results[1][1] and 'accuracy/few' in results[0][1]


def test_settings_of_workers_are_of_no_effect(small_run):
    text = 'train_dataloader = dict(in_memory=True, num_workers=2, persistent_workers=True, pin_memory=True)'
    runner = small_run.runner(SHORT + text, train_cfg__max_epochs=1)
    runner.train()
    assert runner.train_dataloader.num_workers == 0


def test_resumes_in_the_middle_of_an_augmented_epoch(small_run):
    text = AUGMENTED + 'train_cfg = dict(max_epochs=2, val_interval=2)\n' \
        'default_hooks = dict(checkpoint=dict(by_epoch=False, interval=13, max_keep_ckpts=-1))'
    straight = small_run.runner(text)
    straight.train()
    again = small_run.runner(text, work_dir='again', resume=True,
                             load_from=str(small_run.folder / 'run' / 'iter_13.pth'))
    again.train()
    assert all(torch.equal(value, weights(again)[key]) for key, value in weights(straight).items())


def test_mixed_images_and_a_loop_by_iterations(small_run, monkeypatch):
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda seconds: None)
    text = BOTH + "model = dict(train_cfg=dict(augments=[dict(type='Mixup')]))\nparam_scheduler = None\n" \
        "train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=12, val_interval=12)\n"
    results = []
    for name, lines in dict(fast=text, plain=text.replace(BOTH, PLAIN)).items():
        runner = small_run.runner(lines, work_dir=name)
        runner.train()
        results.append(weights(runner))
    assert all(torch.equal(value, results[1][key]) for key, value in results[0].items())


def test_a_sampler_of_mmengine(small_run):
    text = "train_dataloader = dict(in_memory=True, sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True))"
    runner = small_run.runner(SHORT + text, train_cfg__max_epochs=1)
    runner.train()
    assert runner.train_dataloader.batch_size == 32 and runner.train_dataloader.sampler.epoch == 0


@pytest.mark.parametrize('settings, fault', [
    (dict(in_memory='cuda'), "in_memory of a dataloader must be True or False, but is 'cuda'"),
    (dict(in_memory=True, collate_fn=dict(type='default_collate')), 'which a collate_fn cannot change'),
    (dict(in_memory=True, num_batch_per_epoch=1), 'but got _SlicedDataset'),
])
def test_settings_that_do_not_fit(small_run, settings, fault):
    cfg = small_run.load(SHORT)
    cfg.val_dataloader.update(settings)
    with pytest.raises(ConfigError, match=fault):
        Runner.from_cfg(cfg).train()


def test_typing_slip_is_found(small_run):
    with pytest.raises(ConfigError, match=r"has no argument 'in_memry'.*in_memory"):
        load_config(small_run.config('train_dataloader = dict(in_memry=True)'))


@pytest.mark.parametrize('val, test, expected', [
    (dict(type='DigitsLT', split='test'), dict(type='DigitsLT', split='test'), False),
    (dict(type='DigitsLT', split='held_out'), dict(type='DigitsLT', split='test'), True),
    (None, dict(type='DigitsLT'), False), (dict(type='DigitsLT'), None, False)])
def test_a_test_set_of_its_own(val, test, expected):
    cfg = dict(val_dataloader=val and dict(batch_size=1, dataset=val),
               test_dataloader=test and dict(batch_size=2, dataset=test))
    assert has_test_set_of_its_own(cfg) is expected
    assert has_test_set_of_its_own({}) is False


def test_the_pipeline_of_wrapped_data_sets():
    inner = dict(type='A', pipeline=['crop'])
    assert pipeline_of(inner) == ['crop'] == pipeline_of(dict(type='Repeat', dataset=inner))
    assert pipeline_of(dict(type='Concat', datasets=[inner, dict(type='B')])) == ['crop']
    assert with_pipeline(inner, ['pack']) == dict(type='A', pipeline=['pack'])
    repeated = with_pipeline(dict(type='Repeat', times=2, dataset=inner), ['pack'])
    assert repeated == dict(type='Repeat', times=2, dataset=dict(type='A', pipeline=['pack']))
    joined = with_pipeline(dict(type='Concat', datasets=[inner, dict(type='B')]), ['pack'])
    assert [each['pipeline'] for each in joined['datasets']] == [['pack'], ['pack']]
    assert inner == dict(type='A', pipeline=['crop'])
